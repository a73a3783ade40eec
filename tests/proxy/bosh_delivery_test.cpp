#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <string>
#include <thread>

#include "tests/filters/allocated.hpp"
#include "tests/proxy/bosh_session.hpp"

// How responses over BOSH reach a client that reads slowly, asks again, or asks for much at once.
namespace stanzagate::proxy {
namespace {

using namespace testing;

const std::string long_message =
    "<message xmlns='jabber:client'>" + std::string(4'000'000, 'x') + "</message>";

bool has_something(HttpClient& client) {
    char byte = 0;
    return ::recvfrom(client.client().fd().get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT, nullptr,
                      nullptr) == 1;
}

// From here on the kernel does not read ahead for it.
void read_little(HttpClient& client) {
    int const size = 65536;
    ::setsockopt(client.client().fd().get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

class BoshDeliveryTest : public ::testing::Test {
protected:
    TestUpstream upstream_;
};

// A session is served on any number of connections, and a stanza may be long.
TEST_F(BoshDeliveryTest, AResponseThatIsHadAgainTakesNoMoreMemory) {
    TestGate const gate(upstream_, "", {.send = 8192, .receive = 0});
    BoshSession session(gate, upstream_, "all-none");
    session.open();
    session.authenticate();
    auto const request = session.body("");
    session.http.post(request);
    std::thread server([&] { say(session.upstream, long_message); });
    auto const answer = session.http.hear();
    server.join();
    auto const before = filters::allocated();
    std::deque<HttpClient> slow;
    for (int i = 0; i < 4; ++i) {
        auto& client = slow.emplace_back(gate.connect("all-none"));
        client.post(request);
        client.post(request);
        EXPECT_TRUE(eventually([&] { return has_something(client); }));
    }
    EXPECT_LT(filters::allocated(), before + long_message.size() / 2);
    EXPECT_TRUE(slow[0].hear().body == answer.body);
    EXPECT_TRUE(slow[0].hear().body == answer.body);
}

// In all it takes longer than a request may, but never long without anything.
TEST_F(BoshDeliveryTest, ALongResponseMayBeReadSlowly) {
    TestGate gate(upstream_, "", {.send = 1'000'000, .receive = 0});
    BoshSession session(gate, upstream_, "all-none");
    session.open();
    session.authenticate();
    read_little(session.http);
    auto const request = session.body("");
    session.http.post(request);
    std::thread server([&] { say(session.upstream, long_message); });
    std::string heard;
    while (heard.size() <= long_message.size()) {
        auto const size = std::min<std::size_t>(400'000, long_message.size() + 1 - heard.size());
        auto const more = hear(session.http.client().fd(), size);
        heard += more;
        if (more.size() < size) break;
        gate.pass(std::chrono::seconds(40));
    }
    EXPECT_GT(heard.size(), long_message.size());
    server.join();
    HttpClient reads_nothing(gate.connect("all-none"));
    read_little(reads_nothing);
    reads_nothing.post(request);
    EXPECT_TRUE(eventually([&] { return has_something(reads_nothing); }));
    for (int i = 0; i < 5; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        gate.pass(std::chrono::seconds(61));
    }
    EXPECT_LT(reads_nothing.hear_to_end().size(), long_message.size());
}

// Its bytes have come while nothing was read, and no event tells of them again.
TEST_F(BoshDeliveryTest, WhatComesBehindSixteenThatWaitIsRead) {
    TestGate const gate(upstream_, "limits.connect_rate = '10000/s'\n");
    HttpClient client(gate.connect("all-none"));
    std::deque<BoshSession> sessions;
    for (int i = 0; i < 16; ++i) sessions.emplace_back(gate, upstream_, "all-none").open();
    for (auto& session : sessions) {
        client.post(session.body(message));
        EXPECT_EQ(hear(session.upstream, message.size()), message);
    }
    client.ask("GET", "/nothing-here");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    for (auto& session : sessions) {
        say(session.upstream, message);
        EXPECT_EQ(client.hear().status, 200U);
    }
    EXPECT_EQ(client.hear().status, 404U);
}

}  // namespace
}  // namespace stanzagate::proxy
