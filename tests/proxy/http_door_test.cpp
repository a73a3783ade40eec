#include "proxy/http_door.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace stanzagate::proxy {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpDoorTest : ::testing::Test {
    HttpDoorTest() {
        door.served = {.xmpp = true, .websocket = true, .bosh = true};
        config::Host served;
        served.name = {config::HostPattern::Kind::exact, "example.org"};
        config.hosts.push_back(served);
        config.index_hosts();
    }

    HttpRoute ask(std::string method, std::string path, Headers headers = {}) {
        headers.emplace_back("Host", host);
        HttpRequest const request{std::move(method), std::move(path), std::move(headers), ""};
        return route(request, config, door);
    }
    // What is refused, and with what.
    unsigned status(const HttpRoute& route) {
        auto const* const response = std::get_if<HttpResponse>(&route);
        return response ? response->status : 0;
    }
    static std::string header(const HttpRoute& route, std::string_view name) {
        auto const& headers = std::get<HttpResponse>(route).headers;
        auto const found = std::find_if(headers.begin(), headers.end(),
                                        [&](auto const& one) { return one.first == name; });
        return found == headers.end() ? "" : found->second;
    }
    Headers upgrade(Headers more = {}) {
        Headers headers{{"Upgrade", "WebSocket"},
                        {"Connection", "keep-alive, Upgrade"},
                        {"Sec-WebSocket-Version", "13"},
                        {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                        {"Sec-WebSocket-Protocol", "other, xmpp"}};
        for (auto& [name, value] : more) {
            std::erase_if(headers, [&](auto const& one) { return one.first == name; });
            if (!value.empty()) headers.emplace_back(name, value);
        }
        return headers;
    }

    config::Config config;
    config::Listen door;
    std::string host = "example.org";
};

// RFC 6455 section 4.2.1, RFC 7395 section 3.1.
TEST_F(HttpDoorTest, AWebsocketMustAskForIt) {
    EXPECT_TRUE(std::holds_alternative<WebsocketUpgrade>(ask("GET", "/xmpp-websocket", upgrade())));
    auto const refused = [&](Headers change) {
        return status(ask("GET", "/xmpp-websocket", upgrade(std::move(change))));
    };
    EXPECT_EQ(refused({{"Upgrade", ""}}), 426U);
    EXPECT_EQ(refused({{"Upgrade", "h2c"}}), 426U);
    EXPECT_EQ(refused({{"Connection", "keep-alive"}}), 426U);
    EXPECT_EQ(refused({{"Sec-WebSocket-Version", "8"}}), 426U);
    EXPECT_EQ(refused({{"Sec-WebSocket-Key", ""}}), 400U);
    EXPECT_EQ(refused({{"Sec-WebSocket-Key", "c2hvcnQ="}}), 400U);
    EXPECT_EQ(refused({{"Sec-WebSocket-Protocol", ""}}), 400U);
    EXPECT_EQ(refused({{"Sec-WebSocket-Protocol", "xmpp2"}}), 400U);
    EXPECT_EQ(status(ask("POST", "/xmpp-websocket", upgrade())), 405U);
    auto const version = ask("GET", "/xmpp-websocket");
    EXPECT_EQ(header(version, "Sec-WebSocket-Version"), "13");
}

TEST_F(HttpDoorTest, APageOfAnotherSiteMayNotUnlessItIsNamed) {
    Headers const from_elsewhere{{"Origin", "https://evil.example"}};
    EXPECT_EQ(status(ask("GET", "/xmpp-websocket", upgrade(from_elsewhere))), 0U);
    config.http.allow_origins = {"https://chat.example.org"};
    EXPECT_EQ(status(ask("GET", "/xmpp-websocket", upgrade(from_elsewhere))), 403U);
    EXPECT_EQ(status(ask("POST", "/http-bind", from_elsewhere)), 403U);
    EXPECT_EQ(status(ask("OPTIONS", "/http-bind", from_elsewhere)), 403U);
    EXPECT_EQ(status(ask("GET", "/xmpp-websocket", upgrade())), 0U);  // no browser
    Headers const welcome{{"Origin", "https://chat.example.org"}};
    EXPECT_EQ(status(ask("GET", "/xmpp-websocket", upgrade(welcome))), 0U);
    auto const preflight = ask("OPTIONS", "/http-bind", welcome);
    EXPECT_EQ(header(preflight, "Access-Control-Allow-Origin"), "https://chat.example.org");
    EXPECT_EQ(header(preflight, "Vary"), "Origin");
}

TEST_F(HttpDoorTest, APreflightIsAnswered) {
    auto const preflight = ask("OPTIONS", "/http-bind", {{"Origin", "https://a.example"}});
    EXPECT_EQ(status(preflight), 204U);
    EXPECT_EQ(header(preflight, "Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(header(preflight, "Access-Control-Allow-Methods"), "POST, OPTIONS");
    EXPECT_EQ(header(preflight, "Access-Control-Allow-Headers"), "Content-Type");
}

TEST_F(HttpDoorTest, BoshIsPosted) {
    auto const routed = ask("POST", "/http-bind");
    ASSERT_TRUE(std::holds_alternative<BoshPost>(routed));
    EXPECT_EQ(std::get<BoshPost>(routed).headers.size(), 1U);
    auto const page = ask("GET", "/http-bind");
    EXPECT_EQ(status(page), 405U);
    EXPECT_EQ(header(page, "Allow"), "POST, OPTIONS");
}

TEST_F(HttpDoorTest, HostMetaTellsOfTheDoors) {
    auto const xml = ask("GET", "/.well-known/host-meta");
    ASSERT_EQ(status(xml), 200U);
    auto const& body = std::get<HttpResponse>(xml).body.text();
    EXPECT_NE(body.find("wss://example.org/xmpp-websocket"), std::string::npos) << body;
    EXPECT_NE(body.find("https://example.org/http-bind"), std::string::npos) << body;
    EXPECT_EQ(header(xml, "Access-Control-Allow-Origin"), "*");
    host = "EXAMPLE.org:8443";
    auto const json = ask("HEAD", "/.well-known/host-meta.json");
    EXPECT_NE(std::get<HttpResponse>(json).body.text().find("example.org:8443"), std::string::npos);
    EXPECT_EQ(header(json, "Content-Type"), "application/json");
    door.served.bosh = false;
    EXPECT_EQ(
        std::get<HttpResponse>(ask("GET", "/.well-known/host-meta")).body.text().find("http-bind"),
        std::string::npos);
    for (auto const* const nobody : {"other.example", "example.org:x", "<script>", ""}) {
        host = nobody;
        EXPECT_EQ(status(ask("GET", "/.well-known/host-meta")), 404U) << nobody;
    }
    host = "example.org";
    config.http.host_meta = false;
    EXPECT_EQ(status(ask("GET", "/.well-known/host-meta")), 404U);
}

TEST_F(HttpDoorTest, ThereIsNothingElse) {
    for (auto const* const path : {"/", "/http-bind/", "/xmpp-websocket/x", "//", "/admin", ""})
        EXPECT_EQ(status(ask("GET", path)), 404U) << path;
    door.served.websocket = false;
    EXPECT_EQ(status(ask("GET", "/xmpp-websocket", upgrade())), 404U);
    door.served.bosh = false;
    EXPECT_EQ(status(ask("POST", "/http-bind")), 404U);
}

}  // namespace
}  // namespace stanzagate::proxy
