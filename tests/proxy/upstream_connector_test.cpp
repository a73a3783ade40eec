#include "proxy/upstream_connector.hpp"

#include <gmock/gmock.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/proxy/sockets.hpp"
#include "tests/proxy/test_gate.hpp"

// The connections of sessions to their upstream: what they leave behind, and what they lack.
namespace stanzagate::proxy {
namespace {

using namespace testing;
using ::testing::HasSubstr;

const std::string header =
    "<stream:stream xmlns='jabber:client' to='example.org' version='1.0' "
    "xmlns:stream='http://etherx.jabber.org/streams'>";

// How many of this machine's connections to that port are in TIME_WAIT.
int waiting_ports(std::uint16_t to) {
    std::ifstream table("/proc/net/tcp");
    int count = 0;
    for (std::string line; std::getline(table, line);) {
        std::istringstream fields(line);
        std::string number, local, remote, state;
        fields >> number >> local >> remote >> state;
        auto const colon = remote.find(':');
        if (state == "06" && colon != std::string::npos &&
            std::stoi(remote.substr(colon + 1), nullptr, 16) == to)
            ++count;
    }
    return count;
}

class UpstreamConnectorTest : public ::testing::Test {
protected:
    Totals totals() {
        Totals totals;
        totals.add(gate_->worker().counters());
        return totals;
    }
    bool ends(SessionEnd why, std::uint64_t times) {
        return eventually([&] { return totals().session_ends[why] == times; });
    }
    // Opens a stream for that host; what the client hears until it has ended.
    std::string told(const std::string& to, int failing_connects, int error) {
        Client client(gate_->dial("none"), false);
        fail_connects(error, failing_connects);
        client.say(std::string(header).replace(header.find("example.org"), 11, to));
        client.say_no_more();
        return client.hear_to_end();
    }

    TestUpstream upstream_;
    TestUpstream second_;
    std::unique_ptr<TestGate> gate_ = std::make_unique<TestGate>(
        upstream_,
        "[[host]]\nname = 'two.example.org'\nself_signed = true\nupstream = { address = ["
        "'tcp://127.0.0.1:" +
            std::to_string(upstream_.port()) +
            "', 'tcp://127.0.0.1:" + std::to_string(second_.port()) + "'] }\n");
};

// Else whoever comes and goes would use up the ports towards the server.
TEST_F(UpstreamConnectorTest, AClientThatLeavesTakesNoPortAlong) {
    for (int i = 0; i < 5; ++i) {
        Fd upstream;
        {
            Client client(gate_->dial("none"), false);
            client.say(header);
            upstream = upstream_.accept();
            EXPECT_EQ(hear(upstream, header.size()), header);
            if (i % 2 == 0) testing::reset(std::move(client.fd()));
        }
        EXPECT_EQ(hear_to_end(upstream), "");
    }
    EXPECT_TRUE(eventually([&] {
        auto const ends = totals().session_ends;
        return ends[SessionEnd::client_closed] + ends[SessionEnd::network_error] == 5;
    }));
    EXPECT_EQ(waiting_ports(upstream_.port()), 0);
}

// However late the server reads: all that was passed on, and then the end.
TEST_F(UpstreamConnectorTest, WhatAClientThatLeavesHasSaidIsRead) {
    std::string const said(60'000, ' ');
    for (int i = 1; i <= 3; ++i) {
        Fd upstream;
        {
            Client client(gate_->dial("none"), false);
            client.say(header);
            upstream = upstream_.accept();
            client.say(said);
            client.say("<message/>");
            client.say_no_more();
            EXPECT_TRUE(ends(SessionEnd::client_closed, static_cast<std::uint64_t>(i)));
        }
        EXPECT_EQ(hear_to_end(upstream), header + said + "<message/>");
    }
}

// What this machine lacks is no failure of the server's: it stays the first to be tried.
TEST_F(UpstreamConnectorTest, AShortageOfOurOwnBuriesNobody) {
    for (int const error : {EADDRNOTAVAIL, ENOBUFS}) {
        EXPECT_THAT(told("example.org", 1, error), HasSubstr("<internal-server-error "));
        EXPECT_FALSE(upstream_.has_waiting());
        EXPECT_EQ(told("two.example.org", 1, error), "");
        EXPECT_TRUE(second_.accept()) << "there may be what the other one lacks";
        EXPECT_EQ(told("two.example.org", 0, 0), "");
        EXPECT_TRUE(upstream_.accept());
        EXPECT_FALSE(second_.has_waiting());
    }
    EXPECT_TRUE(totals().upstream_failures.empty());
    EXPECT_TRUE(gate_->recent().upstreams().empty());
    gate_->worker().drain(std::chrono::milliseconds(1));
    auto const log = gate_->join();
    EXPECT_TRUE(events(log, "upstream_failed").empty());
    auto const said = events(log, "upstream_not_tried");
    ASSERT_FALSE(said.empty());
    EXPECT_THAT(said[0], HasSubstr(" host=example.org upstream=tcp://127.0.0.1:"));
    EXPECT_THAT(said[0], HasSubstr(" reason=\"Cannot assign requested address\" advice=\"all local "
                                   "ports towards it are taken"));
}

TEST_F(UpstreamConnectorTest, AServerThatRefusesIsPassedOver) {
    EXPECT_EQ(told("two.example.org", 1, ECONNREFUSED), "");
    EXPECT_TRUE(second_.accept());
    EXPECT_EQ(told("two.example.org", 0, 0), "");
    EXPECT_TRUE(second_.accept());
    EXPECT_FALSE(upstream_.has_waiting());
    EXPECT_EQ(totals().upstream_failures.size(), 1U);
}

}  // namespace
}  // namespace stanzagate::proxy
