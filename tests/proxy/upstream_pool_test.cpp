#include "proxy/upstream_pool.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;
using config::UpstreamAddress;
using config::UpstreamScheme;

const UpstreamPool::Clock::time_point start{1000h};

UpstreamAddress tcp(const std::string& host, std::uint16_t port = 5222) {
    return {UpstreamScheme::tcp, host, port};
}

class UpstreamPoolTest : public ::testing::Test {
protected:
    std::vector<std::string> order(UpstreamPool::Clock::time_point now) const {
        std::vector<std::string> hosts;
        for (auto const& address : pool_.in_order(upstreams_, now)) hosts.push_back(address.host);
        return hosts;
    }

    using Hosts = std::vector<std::string>;
    UpstreamPool pool_;
    const std::vector<UpstreamAddress> upstreams_{tcp("a"), tcp("b"), tcp("c")};
};

TEST_F(UpstreamPoolTest, InTheOrderOfTheConfiguration) {
    EXPECT_EQ(order(start), (Hosts{"a", "b", "c"}));
}

TEST_F(UpstreamPoolTest, ThoseThatFailedComeLastForAWhile) {
    pool_.failed(tcp("a"), start);
    EXPECT_EQ(order(start), (Hosts{"b", "c", "a"}));
    pool_.failed(tcp("b"), start + 5s);
    EXPECT_EQ(order(start + 5s), (Hosts{"c", "a", "b"}));
    EXPECT_EQ(order(start + UpstreamPool::dead_time - 1ms), (Hosts{"c", "a", "b"}));
    EXPECT_EQ(order(start + UpstreamPool::dead_time), (Hosts{"a", "c", "b"}));
    EXPECT_EQ(order(start + 5s + UpstreamPool::dead_time), (Hosts{"a", "b", "c"}));
}

TEST_F(UpstreamPoolTest, AllAreTriedThoughAllHaveFailed) {
    for (auto const& address : upstreams_) pool_.failed(address, start);
    EXPECT_EQ(order(start), (Hosts{"a", "b", "c"}));
}

TEST_F(UpstreamPoolTest, OneThatWorksIsGoodAgain) {
    pool_.failed(tcp("a"), start);
    pool_.worked(tcp("a"));
    EXPECT_EQ(order(start), (Hosts{"a", "b", "c"}));
}

TEST_F(UpstreamPoolTest, SchemeAndPortTellAddressesApart) {
    pool_.failed({UpstreamScheme::tls, "a", 5222}, start);
    pool_.failed(tcp("a", 5223), start);
    EXPECT_EQ(order(start), (Hosts{"a", "b", "c"}));
}

TEST_F(UpstreamPoolTest, SoIsItWithTheAddressesOfAName) {
    config::Endpoint const v6 = config::Endpoint::parse("[2001:db8::1]:5222").value();
    config::Endpoint const v4 = config::Endpoint::parse("192.0.2.1:5222").value();
    using Endpoints = std::vector<config::Endpoint>;
    EXPECT_EQ(pool_.in_order(Endpoints{v6, v4}, start), (Endpoints{v6, v4}));
    pool_.failed(v6, start);
    EXPECT_EQ(pool_.in_order(Endpoints{v6, v4}, start), (Endpoints{v4, v6}));
    EXPECT_EQ(pool_.in_order(Endpoints{v6, v4}, start + UpstreamPool::dead_time),
              (Endpoints{v6, v4}));
    pool_.worked(v6);
    EXPECT_EQ(pool_.in_order(Endpoints{v6, v4}, start), (Endpoints{v6, v4}));
}

}  // namespace
}  // namespace stanzagate::proxy
