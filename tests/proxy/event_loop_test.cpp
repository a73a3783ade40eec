#include "proxy/event_loop.hpp"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "proxy/fd.hpp"
#include "tests/proxy/sockets.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;
using namespace std::chrono_literals;

struct Pair {
    Pair() {
        std::array<int, 2> fds{};
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data());
        ours = Fd(fds[0]);
        theirs = Fd(fds[1]);
    }
    Fd ours;
    Fd theirs;
};

struct Recorder final : Pollable {
    void on_events(Side side, std::uint32_t events) override {
        seen |= events;
        ++calls;
        last_side = side;
        if (then) then();
    }
    void on_again() override {
        ++agains;
        if (then_again) then_again();
    }

    std::uint32_t seen = 0;
    int calls = 0;
    int agains = 0;
    Side last_side = Side::client;
    std::function<void()> then;
    std::function<void()> then_again;
};

class EventLoopTest : public ::testing::Test {
protected:
    bool run_until(const std::function<bool()>& holds) {
        return eventually(holds, [&] { loop_.run_once(50ms); });
    }
    // All that can be done without waiting.
    void settle() {
        for (int round = 0; round < 8; ++round) loop_.run_once(2ms);
    }

    EventLoop loop_;
};

TEST_F(EventLoopTest, TellsSideAndEvents) {
    Pair client;
    Pair upstream;
    Recorder one;
    ASSERT_TRUE(loop_.add(client.ours.get(), one, Side::client));
    ASSERT_TRUE(run_until([&] { return one.calls == 1; }));
    EXPECT_EQ(one.seen, static_cast<std::uint32_t>(EPOLLOUT));
    EXPECT_EQ(one.last_side, Side::client);
    ASSERT_TRUE(loop_.add(upstream.ours.get(), one, Side::upstream));
    ASSERT_TRUE(run_until([&] { return one.calls == 2; }));
    EXPECT_EQ(one.last_side, Side::upstream);
    say(client.theirs, "x");
    ASSERT_TRUE(run_until([&] { return (one.seen & EPOLLIN) != 0; }));
    EXPECT_EQ(one.last_side, Side::client);
    say_no_more(upstream.theirs);
    ASSERT_TRUE(run_until([&] { return (one.seen & EPOLLRDHUP) != 0; }));
    EXPECT_EQ(one.last_side, Side::upstream);
}

TEST_F(EventLoopTest, EventsAreEdges) {
    Pair pair;
    Recorder one;
    loop_.add(pair.ours.get(), one, Side::client);
    say(pair.theirs, "unread");
    settle();
    auto const calls = one.calls;
    settle();
    EXPECT_EQ(one.calls, calls);
    say(pair.theirs, "more");
    ASSERT_TRUE(run_until([&] { return one.calls == calls + 1; }));
}

// The kernel tells of what is open, and a descriptor of it may be in another process.
TEST_F(EventLoopTest, WhatIsRemovedIsSilentWhereverItIsOpen) {
    Pair pair;
    Recorder one;
    ASSERT_TRUE(loop_.add_listening(pair.ours.get(), one));
    say(pair.theirs, "x");
    ASSERT_TRUE(run_until([&] { return one.calls == 1; }));
    EXPECT_EQ(one.seen, static_cast<std::uint32_t>(EPOLLIN));
    Fd const elsewhere(::dup(pair.ours.get()));
    loop_.remove(pair.ours.get());
    pair.ours.reset();
    say(pair.theirs, "y");
    settle();
    EXPECT_EQ(one.calls, 1);
}

// Of two loops that have it, one at least is told.
TEST_F(EventLoopTest, WhatTwoListenToIsHeard) {
    Pair pair;
    EventLoop other;
    Recorder mine;
    Recorder its;
    ASSERT_TRUE(loop_.add_listening(pair.ours.get(), mine));
    Fd const copy(::dup(pair.ours.get()));
    ASSERT_TRUE(other.add_listening(copy.get(), its));
    say(pair.theirs, "x");
    EXPECT_TRUE(run_until([&] {
        other.run_once(1ms);
        return mine.calls + its.calls > 0;
    }));
}

// More than one epoll_wait() brings.
TEST_F(EventLoopTest, ManySocketsAtOnce) {
    std::vector<Pair> pairs(600);
    std::vector<Recorder> all(pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i)
        ASSERT_TRUE(loop_.add(pairs[i].ours.get(), all[i], Side::client));
    settle();
    for (auto const& pair : pairs) say(pair.theirs, "x");
    EXPECT_TRUE(run_until([&] {
        return std::all_of(all.begin(), all.end(),
                           [](auto const& one) { return (one.seen & EPOLLIN) != 0; });
    }));
}

// Two that end each other in one batch of events: whoever is first is the only one told.
TEST_F(EventLoopTest, BuriedIsToldNothingMoreOfThisBatch) {
    Pair one_pair;
    Pair other_pair;
    auto one = std::make_unique<Recorder>();
    auto other = std::make_unique<Recorder>();
    loop_.add(one_pair.ours.get(), *one, Side::client);
    loop_.add(other_pair.ours.get(), *other, Side::client);
    one->then = [&] { loop_.bury(*other); };
    other->then = [&] { loop_.bury(*one); };
    say(one_pair.theirs, "x");
    say(other_pair.theirs, "x");
    settle();
    EXPECT_EQ(one->calls + other->calls, 1);
    // Closed descriptors leave the set, so that what they belonged to may go.
    one_pair.ours.reset();
    other_pair.ours.reset();
    one.reset();
    other.reset();
    say(one_pair.theirs, "x");
    settle();
}

TEST_F(EventLoopTest, AgainOncePerAsking) {
    Recorder one;
    loop_.again(one);
    loop_.again(one);
    EXPECT_EQ(one.agains, 0);  // never from within
    settle();
    EXPECT_EQ(one.agains, 1);
    loop_.again(one);
    settle();
    EXPECT_EQ(one.agains, 2);
}

TEST_F(EventLoopTest, AgainFromWithinLetsOthersThroughFirst) {
    Pair pair;
    Recorder busy;
    Recorder other;
    loop_.add(pair.ours.get(), other, Side::client);
    settle();
    auto const before = other.calls;
    int turns = 0;
    busy.then_again = [&] {
        if (++turns < 50) loop_.again(busy);
        if (turns == 1) say(pair.theirs, "x");
    };
    int turns_before_other = 0;
    other.then = [&] { turns_before_other = turns; };
    loop_.again(busy);
    ASSERT_TRUE(run_until([&] { return turns == 50 && other.calls > before; }));
    EXPECT_LT(turns_before_other, 10);
}

TEST_F(EventLoopTest, BuriedGetsNoAgain) {
    Recorder one;
    auto doomed = std::make_unique<Recorder>();
    loop_.again(*doomed);
    loop_.again(one);
    loop_.bury(*doomed);
    doomed.reset();
    settle();
    EXPECT_EQ(one.agains, 1);

    Recorder late;
    loop_.bury(late);
    loop_.again(late);
    settle();
    EXPECT_EQ(late.agains, 0);
}

TEST_F(EventLoopTest, BuriedByAnotherInTheSameBatchOfAgains) {
    Recorder one;
    Recorder other;
    one.then_again = [&] { loop_.bury(other); };
    other.then_again = [&] { loop_.bury(one); };
    loop_.again(one);
    loop_.again(other);
    settle();
    EXPECT_EQ(one.agains + other.agains, 1);
}

TEST_F(EventLoopTest, PostedTasksRunOnTheLoopInTheirOrder) {
    std::vector<int> order;
    std::thread other([&] {
        for (int i = 0; i < 100; ++i) loop_.post([&order, i] { order.push_back(i); });
        loop_.stop();
    });
    loop_.run();
    other.join();
    EXPECT_EQ(order.size(), 100U);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(EventLoopTest, LaterIsBehindEverythingOfTheRound) {
    Recorder one;
    loop_.later([&] { EXPECT_EQ(one.agains, 1); });
    loop_.again(one);
    loop_.run_once(0ms);
    EXPECT_EQ(one.agains, 1);
}

// Whoever throws is the only one who loses something.
TEST_F(EventLoopTest, AnExceptionLosesNoOtherEvent) {
    std::vector<Pair> pairs(3);
    std::vector<Recorder> told(pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        told[i].then = [] { throw std::runtime_error("of a handler"); };
        loop_.add(pairs[i].ours.get(), told[i], Side::client);
    }
    std::vector<Recorder> asked(3);
    for (auto& one : asked) {
        one.then_again = [] { throw std::runtime_error("of a handler"); };
        loop_.again(one);
    }
    int late = 0;
    for (int i = 0; i < 3; ++i)
        loop_.later([&] {
            ++late;
            throw std::runtime_error("of a task");
        });
    int thrown = 0;
    for (int round = 0; round < 12; ++round) {
        try {
            loop_.run_once(0ms);
        } catch (const std::runtime_error&) {
            ++thrown;
        }
    }
    EXPECT_EQ(thrown, 9);
    EXPECT_EQ(late, 3);
    for (auto const& one : told) EXPECT_EQ(one.calls, 1);
    for (auto const& one : asked) EXPECT_EQ(one.agains, 1);
}

}  // namespace
}  // namespace stanzagate::proxy
