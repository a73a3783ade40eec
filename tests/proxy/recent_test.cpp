#include "proxy/recent.hpp"

#include <gtest/gtest.h>

#include <string>

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;

const Recent::TimePoint start{1000h};

RecentDecision decision(int number) {
    return {.when = start, .host = "example.org", .rule = std::to_string(number)};
}

TEST(Recent, KeepsTheLastDecisionsTheNewestFirst) {
    Recent recent;
    EXPECT_TRUE(recent.decisions().empty());
    for (int i = 1; i <= 3; ++i) recent.decided(decision(i));
    auto decisions = recent.decisions();
    ASSERT_EQ(decisions.size(), 3U);
    EXPECT_EQ(decisions.front().rule, "3");
    EXPECT_EQ(decisions.back().rule, "1");
    for (int i = 4; i <= 120; ++i) recent.decided(decision(i));
    decisions = recent.decisions();
    ASSERT_EQ(decisions.size(), Recent::most_decisions);
    EXPECT_EQ(decisions.front().rule, "120");
    EXPECT_EQ(decisions.back().rule, "71");
}

TEST(Recent, KnowsHowUpstreamsFailed) {
    Recent recent;
    recent.upstream_failed("tcp://a:1", "timeout", start);
    recent.upstream_failed("tcp://a:1", "Connection refused", start + 5s);
    recent.upstream_failed("tls://b:2", "timeout", start + 9s);
    auto const upstreams = recent.upstreams();
    ASSERT_EQ(upstreams.size(), 2U);
    EXPECT_EQ(upstreams.at("tcp://a:1").count, 2U);
    EXPECT_EQ(upstreams.at("tcp://a:1").reason, "Connection refused");
    EXPECT_EQ(upstreams.at("tcp://a:1").last, start + 5s);
    EXPECT_EQ(upstreams.at("tls://b:2").count, 1U);
}

TEST(Recent, IsBounded) {
    Recent recent;
    for (std::size_t i = 0; i < Recent::most_addresses + 10; ++i)
        recent.upstream_failed(std::to_string(i), "timeout", start);
    recent.upstream_failed("0", "timeout", start);
    EXPECT_EQ(recent.upstreams().size(), Recent::most_addresses);
    EXPECT_EQ(recent.upstreams().at("0").count, 2U);
}

}  // namespace
}  // namespace stanzagate::proxy
