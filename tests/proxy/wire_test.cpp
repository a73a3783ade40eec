#include "proxy/wire.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <thread>

#include "tests/proxy/sockets.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;
using namespace std::chrono_literals;

// A Wire on one end of a TCP connection, the test on the other.
class WireTest : public ::testing::Test {
protected:
    explicit WireTest(int send_buffer = 0)
        : pair_(send_buffer), wire_(std::move(pair_.ours)), events_(wire_) {
        SystemCalls::reset();
    }

    std::string receive(std::size_t most = 4096) {
        std::string into(most, '\0');
        into.resize(wire_.receive(into));
        return into;
    }
    // What comes until the wire has ended.
    std::string receive_to_end() {
        std::string all;
        EXPECT_TRUE(eventually(
            [&] {
                while (wire_.readable()) all += receive();
                return wire_.ended();
            },
            [&] { events_.wait(100ms); }));
        return all;
    }
    bool wait_until_readable() {
        return eventually([&] { return wire_.readable(); }, [&] { events_.wait(100ms); });
    }
    // Sends until the kernel takes no more.
    std::string fill() {
        std::string sent;
        while (!wire_.blocked()) {
            std::string const block(10'000, static_cast<char>('a' + sent.size() / 10'000 % 26));
            wire_.send(block);
            sent += block;
        }
        return sent;
    }

    TcpPair pair_;
    Wire wire_;
    WireEvents events_;
};

class BlockedWireTest : public WireTest {
protected:
    BlockedWireTest() : WireTest(8192) {}
};

TEST_F(WireTest, IsNotReadBeforeItsFirstEvent) {
    say(pair_.theirs, "early");
    EXPECT_EQ(receive(), "");
    EXPECT_EQ(SystemCalls::receives(), 0U);
    ASSERT_TRUE(wait_until_readable());
    EXPECT_EQ(receive(), "early");
}

TEST_F(WireTest, ShortReadSavesTheNextCall) {
    say(pair_.theirs, "some");
    ASSERT_TRUE(wait_until_readable());
    EXPECT_EQ(receive(), "some");
    EXPECT_FALSE(wire_.readable());
    EXPECT_EQ(receive(), "");
    EXPECT_EQ(SystemCalls::receives(), 1U);
    say(pair_.theirs, "more");
    ASSERT_TRUE(wait_until_readable());
    EXPECT_EQ(receive(), "more");
}

TEST_F(WireTest, FullReadLeavesItReadable) {
    say(pair_.theirs, "abcdef");
    ASSERT_TRUE(wait_until_readable());
    EXPECT_EQ(receive(4), "abcd");
    EXPECT_TRUE(wire_.readable());
    EXPECT_EQ(receive(4), "ef");
    EXPECT_FALSE(wire_.readable());
}

TEST_F(WireTest, PeekTakesNothing) {
    say(pair_.theirs, "header");
    ASSERT_TRUE(wait_until_readable());
    std::array<char, 3> three{};
    EXPECT_EQ(wire_.peek(three), 3U);
    std::array<char, 100> hundred{};
    EXPECT_EQ(wire_.peek(hundred), 6U);
    EXPECT_EQ(receive(), "header");
}

TEST_F(WireTest, EndBehindDataIsFoundWithoutAnotherEvent) {
    say(pair_.theirs, "last");
    say_no_more(pair_.theirs);
    // Both have arrived before the one event that tells of them.
    std::this_thread::sleep_for(20ms);
    ASSERT_TRUE(events_.wait());
    EXPECT_EQ(receive(), "last");
    EXPECT_FALSE(wire_.ended());
    EXPECT_TRUE(wire_.readable());
    EXPECT_EQ(receive(), "");
    EXPECT_TRUE(wire_.ended());
    EXPECT_EQ(wire_.error(), 0);
    EXPECT_FALSE(wire_.broken());
}

TEST_F(WireTest, HalfClosedPeerIsStillWrittenTo) {
    say_no_more(pair_.theirs);
    EXPECT_EQ(receive_to_end(), "");
    wire_.send("answer");
    EXPECT_EQ(hear(pair_.theirs, 6), "answer");
    EXPECT_EQ(wire_.error(), 0);
}

TEST_F(WireTest, ResetIsAnError) {
    reset(std::move(pair_.theirs));
    EXPECT_EQ(receive_to_end(), "");
    EXPECT_NE(wire_.error(), 0);
    EXPECT_TRUE(wire_.broken());
    wire_.send("nobody hears this");
    EXPECT_FALSE(wire_.blocked());
}

// RFC 9293: what arrived before the reset is there to be read, and a write that fails does not take
// it away: it may be the server's last word.
TEST_F(WireTest, FailedWriteLeavesWhatHasArrived) {
    wire_.send("unread");
    EXPECT_EQ(hear(pair_.theirs, 1), "u");
    say(pair_.theirs, "last words");
    pair_.theirs.reset();  // with bytes unread: data, then RST
    ASSERT_TRUE(eventually([&] {
        wire_.send("x");
        return wire_.readable();  // without an event: the write failed
    }));
    EXPECT_EQ(receive_to_end(), "last words");
    wire_.send("dropped");
    EXPECT_FALSE(wire_.blocked());
}

// However little of it, and long before there is room for more.
TEST_F(BlockedWireTest, WhatIsOutstandingTellsWhetherThePeerReads) {
    fill();
    std::size_t before = 0;
    ASSERT_TRUE(eventually([&] {
        auto const now = wire_.outstanding();
        return std::exchange(before, now) == now;
    }));
    EXPECT_GT(before, 0U);
    EXPECT_TRUE(eventually([&] { return wire_.outstanding() < before; },
                           [&] { hear(pair_.theirs, 1000); }));
    EXPECT_TRUE(wire_.blocked());
}

TEST_F(BlockedWireTest, KeepsWhatTheKernelDoesNotTake) {
    auto sent = fill();
    for (auto const* const more : {"one ", "two ", "three"}) {
        wire_.send(more);
        sent += more;
    }
    std::string heard;
    ASSERT_TRUE(eventually([&] { return !wire_.blocked(); },
                           [&] {
                               heard +=
                                   hear(pair_.theirs, std::min<std::size_t>(4096, sent.size()));
                               events_.wait(0ms);
                           }));
    heard += hear(pair_.theirs, sent.size() - heard.size());
    EXPECT_TRUE(heard == sent);
}

TEST_F(BlockedWireTest, SendsNothingWhileBlocked) {
    fill();
    auto const calls = SystemCalls::sends();
    wire_.send("more");
    EXPECT_EQ(SystemCalls::sends(), calls);
}

TEST_F(BlockedWireTest, ClosesBehindWhatWaits) {
    auto sent = fill();
    wire_.close_write();
    EXPECT_TRUE(wire_.close_requested());
    std::string heard;
    ASSERT_TRUE(eventually([&] { return !wire_.blocked(); },
                           [&] {
                               heard += hear(pair_.theirs, 4096);
                               events_.wait(0ms);
                           }));
    heard += hear_to_end(pair_.theirs);
    EXPECT_EQ(heard.size(), sent.size());
    EXPECT_TRUE(heard == sent);
}

TEST_F(BlockedWireTest, ResetFreesWhatWaited) {
    fill();
    reset(std::move(pair_.theirs));
    ASSERT_TRUE(eventually([&] { return !wire_.blocked(); }, [&] { events_.wait(100ms); }));
    EXPECT_TRUE(wire_.broken());
    EXPECT_EQ(receive_to_end(), "");
}

TEST_F(WireTest, ClosedWireIsQuiet) {
    wire_.close();
    EXPECT_FALSE(wire_.is_open());
    EXPECT_TRUE(wire_.ended());
    wire_.send("nothing");
    wire_.close_write();
    EXPECT_FALSE(wire_.blocked());
    EXPECT_EQ(SystemCalls::sends(), 0U);
    EXPECT_EQ(hear_to_end(pair_.theirs), "");
}

}  // namespace
}  // namespace stanzagate::proxy
