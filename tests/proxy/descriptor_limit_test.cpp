#include "proxy/descriptor_limit.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>

namespace stanzagate::proxy {
namespace {

std::string warning(std::size_t connections, std::uint64_t most) {
    config::Config config;
    config.file = "gate.toml";
    config.limits.connections = connections;
    config::Diagnostics diagnostics;
    warn_of_descriptors(config, most, diagnostics);
    return diagnostics.all().empty() ? "" : diagnostics.all().front().to_string();
}

TEST(DescriptorLimitTest, EverySessionNeedsTwo) {
    EXPECT_EQ(warning(1'000, 2'100), "");
    auto const text = warning(1'000, 2'099);
    EXPECT_TRUE(
        text.starts_with("gate.toml:1:1: warning: limits.connections: 1000 need some 2100 "
                         "file descriptors"))
        << text;
    EXPECT_NE(text.find("may have 2099, enough for 999:"), std::string::npos) << text;
    EXPECT_NE(warning(1, 10).find("enough for 0:"), std::string::npos);
    EXPECT_EQ(warning(config::Limits{}.connections, 10), "");
}

TEST(DescriptorLimitTest, IsRaisedToTheHardOne) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit const lower{before.rlim_max / 2, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lower), 0);
    raise_descriptor_limit();
    rlimit raised{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &raised), 0);
    EXPECT_EQ(raised.rlim_cur, before.rlim_max);
    EXPECT_EQ(hard_descriptor_limit(), before.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace stanzagate::proxy
