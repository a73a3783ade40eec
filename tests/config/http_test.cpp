// [http], and what a [[listen]] serves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// The configuration, which must be right, with a host behind it.
Config loaded(std::string_view text) {
    Diagnostics diagnostics;
    auto config = load_text(std::string(text) + R"(
[[host]]
name = "example.org"
self_signed = true
upstream = "tcp://192.0.2.10:5222"
registration.text = "no"
)",
                            "gate.toml", diagnostics);
    for (const Diagnostic& diagnostic : diagnostics.all()) ADD_FAILURE() << diagnostic.to_string();
    return config.value_or(Config{});
}

std::vector<std::string> written(const std::vector<Network>& networks) {
    std::vector<std::string> result;
    result.reserve(networks.size());
    for (const Network& network : networks) result.push_back(network.to_string());
    return result;
}

TEST(Http, IsRead) {
    const Config config = loaded(R"([[listen]]
address = "0.0.0.0:443"
tls = "direct"
serve = ["bosh", "xmpp"]
forwarded_from = ["10.0.0.0/8", "::1"]
[[listen]]
address = "0.0.0.0:80"
serve = "websocket"
tls = "none"
[http]
websocket_path = "/ws%20-._~!$&'()*+,;=:@/x"
bosh_path = "/"
host_meta = false
allow_origins = ["https://Chat.example.org", "http://[2001:db8::1]:8080", "app://a_b"]
)");
    ASSERT_THAT(config.listen, SizeIs(2));
    EXPECT_EQ(config.listen[0].served, (Served{.xmpp = true, .websocket = false, .bosh = true}));
    EXPECT_THAT(written(config.listen[0].forwarded_from), ElementsAre("10.0.0.0/8", "::1"));
    EXPECT_EQ(config.listen[1].served, (Served{.xmpp = false, .websocket = true, .bosh = false}));
    EXPECT_EQ(config.http, (Http{.websocket_path = "/ws%20-._~!$&'()*+,;=:@/x",
                                 .bosh_path = "/",
                                 .host_meta = false,
                                 .allow_origins = {"https://Chat.example.org",
                                                   "http://[2001:db8::1]:8080", "app://a_b"},
                                 .where = {"gate.toml", 10, 1}}));
}

TEST(Http, KeepsOutAllPagesWhereNoOriginIsAllowed) {
    const Config config = loaded(R"([http]
allow_origins = []
[[listen]]
address = "0.0.0.0:443"
tls = "direct"
serve = "websocket"
)");
    EXPECT_THAT(config.http.allow_origins, IsEmpty());
}

struct Brought {
    const char* name;
    TlsMode tls;
    Served served;
    std::vector<Transport> transports;
    const char* written;
};

class Brings : public testing::TestWithParam<Brought> {};

TEST_P(Brings, ClientsOfTheseKinds) {
    const Listen listen{.addresses = {},
                        .tls = GetParam().tls,
                        .served = GetParam().served,
                        .proxy_protocol_from = {},
                        .forwarded_from = {},
                        .where = {}};
    std::vector<Transport> found;
    for (const Transport transport :
         {Transport::starttls, Transport::direct, Transport::websocket, Transport::bosh})
        if (listen.brings(transport)) found.push_back(transport);
    EXPECT_EQ(found, GetParam().transports);
    EXPECT_EQ(listen.served.to_string(), GetParam().written);
    EXPECT_EQ(listen.served.http(), listen.served.websocket || listen.served.bosh);
}

INSTANTIATE_TEST_SUITE_P(
    All, Brings,
    testing::Values(Brought{"starttls", TlsMode::starttls, {}, {Transport::starttls}, "xmpp"},
                    Brought{"direct", TlsMode::direct, {}, {Transport::direct}, "xmpp"},
                    Brought{"none", TlsMode::none, {}, {Transport::direct}, "xmpp"},
                    Brought{"all",
                            TlsMode::none,
                            {true, true, true},
                            {Transport::direct, Transport::websocket, Transport::bosh},
                            "xmpp,websocket,bosh"},
                    Brought{"websocket",
                            TlsMode::direct,
                            {false, true, false},
                            {Transport::websocket},
                            "websocket"},
                    Brought{
                        "bosh", TlsMode::direct, {false, false, true}, {Transport::bosh}, "bosh"}),
    NamedCase{});

}  // namespace
}  // namespace stanzagate::config
