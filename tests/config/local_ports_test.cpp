#include "config/local_ports.hpp"

#include <gmock/gmock.h>

#include <string>

#include "config/load.hpp"

namespace stanzagate::config {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(LocalPorts, OfARange) {
    EXPECT_EQ(ports_in("32768\t60999\n"), 28'232U);
    EXPECT_EQ(ports_in("1 1"), 1U);
    for (auto const* const none : {"", "32768", "9 8", "1 65536", "a b"})
        EXPECT_EQ(ports_in(none), std::nullopt) << none;
    EXPECT_TRUE(local_ports()) << "of this machine";
}

Config configuration(std::size_t connections, std::size_t addresses) {
    Config config;
    config.limits.connections = connections;
    Host host;
    for (std::size_t i = 0; i < addresses; ++i)
        host.upstream.addresses.push_back(
            {UpstreamScheme::tcp, "192.0.2.1", static_cast<std::uint16_t>(5222 + i)});
    config.hosts = {host, host};  // which share them
    return config;
}

std::string warning(std::size_t connections, std::size_t addresses) {
    Diagnostics diagnostics;
    warn_of_few_ports(configuration(connections, addresses), 28'232, {"stanzagate.toml", 7, 15},
                      diagnostics);
    return diagnostics.all().empty() ? "" : diagnostics.all().front().to_string();
}

TEST(LocalPorts, FewerThanTheOperatorLetsIn) {
    EXPECT_THAT(warning(28'233, 1),
                HasSubstr("stanzagate.toml:7:15: warning: limits.connections: so many "));
    EXPECT_THAT(warning(28'233, 1), HasSubstr("the one address of the upstream there are 28232: "));
    EXPECT_THAT(warning(60'000, 2), HasSubstr("the 2 addresses of upstreams there are 56464: "));
}

TEST(LocalPorts, Enough) {
    EXPECT_EQ(warning(28'232, 1), "");
    EXPECT_EQ(warning(28'233, 2), "");
    EXPECT_EQ(warning(Limits().connections, 1), "") << "nobody has chosen it";
}

// No machine has so many.
TEST(LocalPorts, AreCountedWhereAConfigurationIsLoaded) {
    Diagnostics diagnostics;
    load_text(R"([limits]
connections = 99999999
[[listen]]
address = "0.0.0.0:5222"
[[host]]
name = "example.org"
self_signed = true
upstream = "tcp://192.0.2.1:5222"
[registration]
text = "no"
)",
              "gate.toml", diagnostics);
    ASSERT_EQ(diagnostics.all().size(), 1U);
    EXPECT_THAT(diagnostics.all()[0].to_string(),
                StartsWith("gate.toml:2:15: warning: limits.connections: so many sessions "));
}

}  // namespace
}  // namespace stanzagate::config
