#include "proxy/name_resolver.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "tests/proxy/sockets.hpp"

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;

using Found = std::pair<std::vector<config::Endpoint>, std::string>;

Found look_up(const std::string& host, std::uint16_t port) {
    boost::asio::io_context background{1};
    NameResolver resolver(background);
    Found found;
    bool done = false;
    resolver.resolve(host, port, [&](auto const& endpoints, auto error) {
        found = {endpoints, std::string(error)};
        done = true;
    });
    EXPECT_FALSE(done) << "called from within";
    EXPECT_TRUE(testing::eventually([&] { return done; },
                                    [&] {
                                        background.restart();
                                        background.run_one_for(10ms);
                                    }));
    return found;
}

TEST(NameResolverTest, FindsWhatTheSystemFinds) {
    auto const [endpoints, error] = look_up("localhost", 99);
    if (endpoints.empty()) GTEST_SKIP() << "this machine has no name for itself: " << error;
    EXPECT_TRUE(endpoints[0].address.is_loopback());
    EXPECT_EQ(endpoints[0].port, 99);
}

TEST(NameResolverTest, MoreThanThereAreThreadsAreAllAnswered) {
    boost::asio::io_context background{1};
    NameResolver resolver(background);
    constexpr std::size_t count = 5 * NameResolver::most_threads;
    std::size_t answers = 0;
    for (std::size_t i = 0; i < count; ++i)
        resolver.resolve("192.0.2.1", static_cast<std::uint16_t>(i + 1),
                         [&](auto const& endpoints, auto) { answers += endpoints.size(); });
    EXPECT_TRUE(testing::eventually([&] { return answers == count; },
                                    [&] {
                                        background.restart();
                                        background.run_one_for(10ms);
                                    }));
}

// They may be looking up yet, and end later: nothing is left for them to touch.
TEST(NameResolverTest, ItsThreadsMayOutliveIt) {
    boost::asio::io_context background{1};
    for (int i = 0; i < 20; ++i) {
        NameResolver resolver(background);
        resolver.resolve("no such.invalid", 5222, [](auto const&, auto) {});
    }
    background.run_for(10ms);
}

TEST(NameResolverTest, WhatIsNotFoundSaysWhy) {
    // RFC 6761 section 6.4: never exists. A space in it keeps even a wildcard resolver from it.
    auto const [endpoints, error] = look_up("no such.invalid", 5222);
    EXPECT_TRUE(endpoints.empty());
    EXPECT_FALSE(error.empty());
}

}  // namespace
}  // namespace stanzagate::proxy
