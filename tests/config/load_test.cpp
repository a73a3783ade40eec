#include "config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace stanzagate::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view listen = "[[listen]]\naddress = \"127.0.0.1:0\"\n";
constexpr std::string_view host =
    "[[host]]\nname = \"example.org\"\nself_signed = true\nupstream = \"tcp://192.0.2.10:5222\"\n";

// The configuration, which must be right.
Config loaded(std::string_view text) {
    Diagnostics diagnostics;
    auto config = load_text(text, "etc/gate.toml", diagnostics);
    for (const Diagnostic& diagnostic : diagnostics.all()) ADD_FAILURE() << diagnostic.to_string();
    return config.value_or(Config{});
}

// With a listener and a host put before it.
Config loaded_with(std::string_view text) {
    return loaded(std::string(listen) + std::string(host) + std::string(text));
}

std::vector<std::string> written(const std::vector<Network>& networks) {
    std::vector<std::string> result;
    result.reserve(networks.size());
    for (const Network& network : networks) result.push_back(network.to_string());
    return result;
}

std::string expanded(const std::optional<TextTemplate>& text) {
    return text ? text->expand({.host = "H", .url = "U", .address = "A", .lang = "L"}) : "none";
}

TEST(Load, FillsInDefaults) {
    const Config config = loaded_with("[registration]\nadmins = [\"admin@example.org\"]\n");
    EXPECT_EQ(config.file, "etc/gate.toml");
    EXPECT_EQ(config.server, Server{});
    EXPECT_EQ(config.limits, Limits{});
    ASSERT_THAT(config.listen, SizeIs(1));
    EXPECT_EQ(config.listen[0].tls, TlsMode::starttls);
    EXPECT_EQ(config.listen[0].served, (Served{.xmpp = true, .websocket = false, .bosh = false}));
    EXPECT_THAT(config.listen[0].forwarded_from, IsEmpty());
    EXPECT_EQ(config.http.websocket_path, "/xmpp-websocket");
    EXPECT_EQ(config.http.bosh_path, "/http-bind");
    EXPECT_TRUE(config.http.host_meta);
    EXPECT_THAT(config.http.allow_origins, ElementsAre("*"));
    ASSERT_THAT(config.hosts, SizeIs(1));
    const Registration& registration = config.hosts[0].registration;
    EXPECT_EQ(registration, config.registration);
    EXPECT_THAT(written(registration.whitelist), ElementsAre("127.0.0.1", "::1"));
    EXPECT_TRUE(registration.oob);
    EXPECT_EQ(registration.url, std::nullopt);
    EXPECT_THAT(registration.text, IsEmpty());
    EXPECT_THAT(registration.admins, ElementsAre("admin@example.org"));
}

TEST(Load, ReadsServerAndLimits) {
    const Config config = loaded_with(R"(
[server]
workers = 4
admin = "unix:admin.sock"
admin_public = true
status_addresses = "full"
drain = "1m"
log = { level = "warning", format = "json" }
[limits]
connections = 10
connections_per_address = 2
connect_rate = "30/m"
handshake_timeout = "1s"
negotiation_timeout = "1h"
stanza_size = "1MiB"
stanza_depth = 1000
attributes = 4
[registration]
text = "no"
)");
    EXPECT_EQ(config.server,
              (Server{.workers = 4,
                      .admin = AdminAddress{std::filesystem::path("etc/admin.sock")},
                      .admin_public = true,
                      .status_addresses = StatusAddresses::full,
                      .drain = 60s,
                      .log = {.level = LogLevel::warning, .format = LogFormat::json}}));
    EXPECT_EQ(config.limits, (Limits{.connections = 10,
                                     .connections_per_address = 2,
                                     .connect_rate = 0.5,
                                     .handshake_timeout = 1s,
                                     .negotiation_timeout = 1h,
                                     .stanza_size = 1'048'576,
                                     .stanza_depth = 1000,
                                     .attributes = 4}));
}

TEST(Load, ReadsListeners) {
    const Config config = loaded(std::string(host) + R"(
registration.text = "no"
[[listen]]
address = ["0.0.0.0:5222", "[::]:5222", "127.0.0.1:0", "127.0.0.1:0"]
[[listen]]
address = "0.0.0.0:443"
tls = "none"
serve = "xmpp"
proxy_protocol_from = ["10.0.0.0/8", "::1"]
)");
    ASSERT_THAT(config.listen, SizeIs(2));
    EXPECT_THAT(config.listen[0].addresses,
                ElementsAre(*Endpoint::parse("0.0.0.0:5222"), *Endpoint::parse("[::]:5222"),
                            *Endpoint::parse("127.0.0.1:0"), *Endpoint::parse("127.0.0.1:0")));
    EXPECT_EQ(config.listen[0].where, (Position{"etc/gate.toml", 8, 11}));
    EXPECT_EQ(config.listen[1].tls, TlsMode::none);
    EXPECT_THAT(written(config.listen[1].proxy_protocol_from), ElementsAre("10.0.0.0/8", "::1"));
}

TEST(Load, ReadsHosts) {
    const Config config = loaded(std::string(listen) + R"([[host]]
name = "*.Example.org"
certificate = "chain.pem"
key = "/keys/key.pem"
[host.upstream]
address = ["tls://10.0.0.5:5223", "starttls://xmpp.internal:5222"]
proxy_protocol = "v2"
connect_timeout = "500ms"
ca = "ca.pem"
verify = true
name = "XMPP1.internal"
[host.registration]
text = "no"
)");
    ASSERT_THAT(config.hosts, SizeIs(1));
    const Host& found = config.hosts[0];
    EXPECT_EQ(found.name, (HostPattern{HostPattern::Kind::wildcard, "example.org"}));
    ASSERT_EQ(found.certificates.size(), 1U);
    const HostCertificate& files = found.certificates.front();
    EXPECT_EQ(files.certificate, "etc/chain.pem");
    EXPECT_EQ(files.key, "/keys/key.pem");
    EXPECT_FALSE(found.self_signed);
    EXPECT_EQ(found.where, (Position{"etc/gate.toml", 4, 8}));
    EXPECT_EQ(files.certificate_where, (Position{"etc/gate.toml", 5, 15}));
    EXPECT_EQ(files.key_where, (Position{"etc/gate.toml", 6, 7}));
    const Upstream& upstream = found.upstream;
    EXPECT_THAT(upstream.addresses,
                ElementsAre(UpstreamAddress{UpstreamScheme::tls, "10.0.0.5", 5223},
                            UpstreamAddress{UpstreamScheme::starttls, "xmpp.internal", 5222}));
    EXPECT_EQ(upstream.proxy_protocol, ProxyHeader::v2);
    EXPECT_EQ(upstream.connect_timeout, 500ms);
    EXPECT_EQ(upstream.ca, "etc/ca.pem");
    EXPECT_TRUE(upstream.verify);
    EXPECT_EQ(upstream.name, "xmpp1.internal");
    EXPECT_EQ(upstream.where, (Position{"etc/gate.toml", 7, 1}));
    EXPECT_EQ(upstream.ca_where, (Position{"etc/gate.toml", 11, 6}));
}

TEST(Load, ReadsTheShortUpstream) {
    const Config config = loaded_with("registration.text = \"no\"\n");
    EXPECT_THAT(config.hosts[0].upstream.addresses,
                ElementsAre(UpstreamAddress{UpstreamScheme::tcp, "192.0.2.10", 5222}));
    EXPECT_EQ(config.hosts[0].upstream.proxy_protocol, ProxyHeader::none);
    EXPECT_EQ(config.hosts[0].upstream.where, (Position{"etc/gate.toml", 6, 12}));
}

TEST(Load, ReadsRegistration) {
    const Config config = loaded_with(R"(
[registration]
whitelist = []
url = "HTTPS://{host}/register?from={address}"
text = { de = "Bitte {url}", en = "Please {url}", "x-klingon" = "{{" }
oob = false
admins = "admin@example.org"
refusal = "not-acceptable"
advertise = "never"
)");
    const Registration& registration = config.hosts[0].registration;
    EXPECT_THAT(registration.whitelist, IsEmpty());
    EXPECT_EQ(expanded(registration.url), "HTTPS://H/register?from=A");
    ASSERT_THAT(registration.text, SizeIs(3));
    EXPECT_EQ(registration.text[0].first, "de");
    EXPECT_EQ(expanded(registration.text[0].second), "Bitte U");
    EXPECT_EQ(registration.text[1].first, "en");
    EXPECT_EQ(registration.text[2].first, "x-klingon");
    EXPECT_FALSE(registration.oob);
    EXPECT_THAT(registration.admins, ElementsAre("admin@example.org"));
    EXPECT_EQ(registration.refusal, Refusal::not_acceptable);
    EXPECT_EQ(registration.advertise, Advertise::never);
}

TEST(Load, OverridesRegistrationKeyByKey) {
    const Config config = loaded_with(R"(
[host.registration]
url = "xmpp:me@example.org"
oob = false
admins = ["me@example.org"]
advertise = "always"
[[host]]
name = "other.example"
self_signed = true
upstream = "tcp://192.0.2.10:5222"
[host.registration]
whitelist = ["192.0.2.0/24"]
admins = []
refusal = "forbidden"
[registration]
whitelist = []
url = "https://example.org/"
admins = ["admin@example.org"]
advertise = "auto"
)");
    ASSERT_THAT(config.hosts, SizeIs(2));
    const Registration& first = config.hosts[0].registration;
    EXPECT_THAT(first.whitelist, IsEmpty());
    EXPECT_EQ(expanded(first.url), "xmpp:me@example.org");
    EXPECT_FALSE(first.oob);
    EXPECT_THAT(first.admins, ElementsAre("me@example.org"));
    EXPECT_EQ(first.advertise, Advertise::always);

    const Registration& second = config.hosts[1].registration;
    EXPECT_THAT(written(second.whitelist), ElementsAre("192.0.2.0/24"));
    EXPECT_EQ(expanded(second.url), "https://example.org/");
    EXPECT_TRUE(second.oob);
    EXPECT_THAT(second.admins, IsEmpty());
    EXPECT_EQ(second.refusal, Refusal::forbidden);
    EXPECT_EQ(second.advertise, Advertise::automatic);

    EXPECT_EQ(expanded(config.registration.url), "https://example.org/");
    EXPECT_EQ(config.registration.refusal, Refusal::not_authorized);
}

TEST(Load, LeavesTheGlobalRegistrationIncompleteWhereHostsCompleteIt) {
    const Config config = loaded_with(R"(
[host.registration]
text = "Write to us."
[registration]
url = "sip:admin@example.org"
refusal = "forbidden"
)");
    EXPECT_EQ(expanded(config.hosts[0].registration.url), "sip:admin@example.org");
    EXPECT_EQ(config.registration.url, std::nullopt);
    EXPECT_THAT(config.registration.text, IsEmpty());
    EXPECT_THAT(config.registration.admins, IsEmpty());
    EXPECT_EQ(config.registration.refusal, Refusal::forbidden);
}

TEST(Load, AddsToDiagnosticsThatAreThere) {
    Diagnostics diagnostics;
    diagnostics.error({"other", 1, 1}, "somebody else's");
    const std::string text =
        std::string(listen) + std::string(host) + "registration.text = \"no\"\n";
    EXPECT_TRUE(load_text(text, "gate.toml", diagnostics).has_value());
    EXPECT_THAT(diagnostics.all(), SizeIs(1));
}

TEST(Load, RefusesAKeyWithoutEnd) {
    // The TOML library would recurse as deep as the key goes.
    std::string text = "[";
    for (int i = 0; i < 100'000; ++i) text += "a.";
    text += "a]\n";
    Diagnostics diagnostics;
    EXPECT_FALSE(load_text("\n" + text, "gate.toml", diagnostics).has_value());
    ASSERT_THAT(diagnostics.all(), SizeIs(1));
    EXPECT_EQ(diagnostics.all()[0].to_string(),
              "gate.toml:2:1: error: not valid here: a key of more than a thousand parts");
}

TEST(Load, TakesDotsInStrings) {
    const Config config =
        loaded_with("[registration]\ntext = \"" + std::string(5000, '.') + "\"\n");
    EXPECT_EQ(expanded(config.registration.text.at(0).second).size(), 5000U);
}

class LoadFile : public testing::Test {
protected:
    void SetUp() override { std::filesystem::create_directories(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::vector<std::string> diagnostics_of(const std::filesystem::path& file) {
        Diagnostics diagnostics;
        EXPECT_FALSE(load(file, diagnostics).has_value());
        std::vector<std::string> result;
        for (const Diagnostic& diagnostic : diagnostics.sorted())
            result.push_back(diagnostic.to_string());
        return result;
    }

    // Tests may run side by side.
    const std::filesystem::path folder_ =
        std::filesystem::path(testing::TempDir()) /
        (std::string("stanzagate-") +
         testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(LoadFile, AnchorsPathsAtTheFile) {
    const auto file = folder_ / "gate.toml";
    std::ofstream(file) << listen << R"([[host]]
name = "example.org"
certificate = "tls/chain.pem"
key = "../key.pem"
upstream = "tcp://192.0.2.10:5222"
registration.text = "no"
)";
    Diagnostics diagnostics;
    const auto config = load(file, diagnostics);
    ASSERT_TRUE(config);
    EXPECT_EQ(config->file, file);
    ASSERT_EQ(config->hosts[0].certificates.size(), 1U);
    EXPECT_EQ(config->hosts[0].certificates[0].certificate, folder_ / "tls/chain.pem");
    EXPECT_EQ(config->hosts[0].certificates[0].key, folder_ / "../key.pem");
}

TEST_F(LoadFile, ReportsAFileThatIsNotThere) {
    const auto file = folder_ / "none.toml";
    EXPECT_THAT(
        diagnostics_of(file),
        ElementsAre(file.string() + ":1:1: error: the configuration cannot be read: No such "
                                    "file or directory"));
}

TEST_F(LoadFile, ReportsAFolder) {
    EXPECT_THAT(diagnostics_of(folder_),
                ElementsAre(folder_.string() +
                            ":1:1: error: the configuration cannot be read: it is a directory"));
}

}  // namespace
}  // namespace stanzagate::config
