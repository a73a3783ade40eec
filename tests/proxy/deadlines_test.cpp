#include "proxy/deadlines.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "proxy/event_loop.hpp"
#include "tests/proxy/sockets.hpp"

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;
using Clock = Deadline::Clock;

// Notes when it ran, and stops the loop after the last.
struct Note {
    explicit Note(Deadlines& deadlines)
        : deadline(deadlines, [](void* self) { static_cast<Note*>(self)->run(); }, this) {}

    void run() {
        ++runs;
        ran_at = Clock::now();
        if (then) then();
    }

    Deadline deadline;
    int runs = 0;
    Clock::time_point ran_at{};
    std::function<void()> then;
};

class DeadlinesTest : public ::testing::Test {
protected:
    // Runs the loop for so long at most.
    void run(Clock::duration limit) {
        auto const end = Clock::now() + limit;
        while (!deadlines_.empty() && Clock::now() < end)
            loop_.run_once(std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()));
    }

    EventLoop loop_;
    Deadlines& deadlines_ = loop_.deadlines();
};

TEST_F(DeadlinesTest, RunsOnceNeitherEarlyNorMuchTooLate) {
    Note note(deadlines_);
    auto const at = Clock::now() + 50ms;
    note.deadline.set(50ms);
    EXPECT_TRUE(note.deadline.is_set());
    run(10s);
    EXPECT_EQ(note.runs, 1);
    EXPECT_FALSE(note.deadline.is_set());
    EXPECT_GE(note.ran_at, at);
    EXPECT_LT(note.ran_at, at + 2s);  // a busy machine
}

TEST_F(DeadlinesTest, CancelledAndDestroyedOnesDoNotRun) {
    Note cancelled(deadlines_);
    cancelled.deadline.set(1ms);
    cancelled.deadline.cancel();
    cancelled.deadline.cancel();
    EXPECT_FALSE(cancelled.deadline.is_set());
    {
        Note gone(deadlines_);
        gone.deadline.set(1ms);
    }
    run(200ms);
    EXPECT_EQ(cancelled.runs, 0);
}

TEST_F(DeadlinesTest, TheLatestSettingCounts) {
    Note later(deadlines_);
    Note sooner(deadlines_);
    later.deadline.set(1ms);
    later.deadline.set(1h);
    sooner.deadline.set(1h);
    sooner.deadline.set(1ms);
    run(200ms);
    EXPECT_EQ(later.runs, 0);
    EXPECT_EQ(sooner.runs, 1);
    later.deadline.set(1ms);
    run(200ms);
    EXPECT_EQ(later.runs, 1);
}

TEST_F(DeadlinesTest, InOrderWhateverTheOrderOfSetting) {
    std::mt19937 random(7);  // NOLINT(bugprone-random-generator-seed)
    std::vector<int> order;
    std::vector<std::unique_ptr<Note>> notes;
    std::vector<int> delays;
    delays.reserve(60);
    for (int i = 0; i < 60; ++i) delays.push_back(i * 3);
    std::shuffle(delays.begin(), delays.end(), random);
    auto const set_at = Clock::now();
    for (int const delay : delays) {
        notes.push_back(std::make_unique<Note>(deadlines_));
        notes.back()->then = [&order, delay] { order.push_back(delay); };
        notes.back()->deadline.set(delay * 1ms);
    }
    run(10s);
    EXPECT_EQ(order.size(), 60U);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    for (std::size_t i = 0; i < notes.size(); ++i)
        EXPECT_GE(notes[i]->ran_at, set_at + delays[i] * 1ms);
}

TEST_F(DeadlinesTest, AHandlerMaySetCancelAndDestroy) {
    Note again(deadlines_);
    Note victim(deadlines_);
    auto doomed = std::make_unique<Note>(deadlines_);
    again.then = [&] {
        doomed.reset();
        victim.deadline.cancel();
        if (again.runs < 3) again.deadline.set(1ms);
    };
    again.deadline.set(1ms);
    // All are due in the same run of the timer.
    victim.deadline.set(2ms);
    doomed->deadline.set(2ms);
    std::this_thread::sleep_for(30ms);
    run(1s);
    EXPECT_EQ(again.runs, 3);
    EXPECT_EQ(victim.runs, 0);
}

// The timer that waits is the old, later one.
TEST_F(DeadlinesTest, ASoonerOneIsNotKeptWaitingByALaterOne) {
    Note later(deadlines_);
    later.deadline.set(1h);
    run(1ms);
    Note sooner(deadlines_);
    sooner.deadline.set(5ms);
    EXPECT_TRUE(testing::eventually([&] { return sooner.runs == 1; }, [&] { run(5ms); }));
    EXPECT_EQ(later.runs, 0);
}

}  // namespace
}  // namespace stanzagate::proxy
