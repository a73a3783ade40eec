#include "proxy/upstream_pool.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/proxy/sockets.hpp"

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
        for (auto const& address : pool_.in_order(upstream_, now)) hosts.push_back(address.host);
        return hosts;
    }
    // What resolving gives, and its error.
    std::pair<std::vector<config::Endpoint>, std::string> resolved(const UpstreamAddress& address) {
        std::pair<std::vector<config::Endpoint>, std::string> result;
        bool done = false;
        pool_.resolve(address, [&](auto const& endpoints, auto error) {
            result = {endpoints, std::string(error)};
            done = true;
        });
        EXPECT_TRUE(testing::eventually([&] { return done; },
                                        [&] {
                                            background_.restart();
                                            background_.run_one_for(10ms);
                                            loop_.run_once(10ms);
                                        }));
        return result;
    }

    using Hosts = std::vector<std::string>;
    boost::asio::io_context background_{1};
    NameResolver resolver_{background_};
    EventLoop loop_;
    UpstreamPool pool_{loop_, resolver_};
    config::Upstream upstream_ = [] {
        config::Upstream upstream;
        upstream.addresses = {tcp("a"), tcp("b"), tcp("c")};
        return upstream;
    }();
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
    for (auto const& address : upstream_.addresses) pool_.failed(address, start);
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

TEST_F(UpstreamPoolTest, LiteralsNeedNoResolver) {
    for (auto const* const literal : {"192.0.2.1", "2001:db8::1"}) {
        bool done = false;
        pool_.resolve(tcp(literal, 7), [&](auto const& endpoints, auto error) {
            ASSERT_EQ(endpoints.size(), 1U);
            EXPECT_EQ(endpoints[0].address, config::Address::parse(literal));
            EXPECT_EQ(endpoints[0].port, 7);
            EXPECT_TRUE(error.empty());
            done = true;
        });
        EXPECT_TRUE(done);
    }
}

TEST_F(UpstreamPoolTest, NamesAreResolvedAndKept) {
    auto const [endpoints, error] = resolved(tcp("localhost", 99));
    if (endpoints.empty()) GTEST_SKIP() << "this machine has no name for itself: " << error;
    EXPECT_TRUE(endpoints[0].address.is_loopback());
    EXPECT_EQ(endpoints[0].port, 99);
    bool at_once = false;
    pool_.resolve(tcp("localhost", 99), [&](auto const& known, auto) {
        at_once = true;
        EXPECT_EQ(known, endpoints);
    });
    EXPECT_TRUE(at_once);
}

TEST_F(UpstreamPoolTest, WhatCannotBeResolvedSaysWhy) {
    // RFC 6761 section 6.4: never exists. A space in it keeps even a wildcard resolver from it.
    auto const [endpoints, error] = resolved(tcp("no such.invalid"));
    EXPECT_TRUE(endpoints.empty());
    EXPECT_FALSE(error.empty());
}

}  // namespace
}  // namespace stanzagate::proxy
