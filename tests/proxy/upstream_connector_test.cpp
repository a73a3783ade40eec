#include "proxy/upstream_connector.hpp"

#include <gmock/gmock.h>

#include <cerrno>
#include <chrono>
#include <string>

#include "tests/proxy/sockets.hpp"
#include "tests/proxy/test_gate.hpp"

// The connections of sessions to their upstream: what they lack.
namespace stanzagate::proxy {
namespace {

using namespace testing;
using ::testing::HasSubstr;

const std::string header =
    "<stream:stream xmlns='jabber:client' to='example.org' version='1.0' "
    "xmlns:stream='http://etherx.jabber.org/streams'>";

class UpstreamConnectorTest : public ::testing::Test {
protected:
    Totals totals() {
        Totals totals;
        totals.add(gate_->worker().counters());
        return totals;
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
