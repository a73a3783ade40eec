#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/proxy/http_client.hpp"
#include "tests/proxy/sockets.hpp"

// What RFC 7395 and XEP-0124 demand of HTTP, through real sockets. Tests are named by their
// sections.
namespace stanzagate::proxy {
namespace {

using namespace testing;

const std::string session_request =
    "<body xmlns='http://jabber.org/protocol/httpbind' to='example.org' wait='0' hold='0' "
    "ver='1.6' rid='1'/>";

std::string sid_in(const std::string& body) {
    auto const begin = body.find(" sid='") + 6;
    return body.substr(begin, body.find('\'', begin) - begin);
}

std::string request_of(const std::string& sid, int rid) {
    return "<body xmlns='http://jabber.org/protocol/httpbind' rid='" + std::to_string(rid) +
           "' sid='" + sid + "'/>";
}

class HttpConformance : public ::testing::Test {
protected:
    // An upgrade that offers these subprotocols.
    HttpAnswer offer(const std::string& protocols) const {
        HttpClient client(gate_.connect("all-none"));
        client.ask("GET", "/xmpp-websocket",
                   "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                       protocols);
        return client.hear();
    }

    TestUpstream upstream_;
    TestGate gate_{upstream_, ""};
};

TEST_F(HttpConformance, RFC7395_3_1_TheSubprotocolIsXmpp) {
    EXPECT_EQ(offer("").status, 400U);
    EXPECT_EQ(offer("Sec-WebSocket-Protocol: mqtt, xmpp2\r\n").status, 400U);
    auto const answer = offer("Sec-WebSocket-Protocol: mqtt, xmpp\r\n");
    EXPECT_EQ(answer.status, 101U);
    EXPECT_EQ(answer.headers.at("sec-websocket-protocol"), "xmpp");
}

TEST_F(HttpConformance, RFC7395_3_2_ABinaryMessageIsRefused) {
    WebsocketClient client(gate_.connect("all-none"));
    EXPECT_EQ(client.open().status, 101U);
    client.say_frame(filters::testing::client_frame(2, "<open/>"));
    EXPECT_EQ(client.hear_text().rfind("<open ", 0), 0U);
    EXPECT_NE(client.hear_text().find("<bad-format "), std::string::npos);
    EXPECT_EQ(client.hear_text().rfind("<close ", 0), 0U);
    EXPECT_EQ(client.hear(), (filters::testing::ServerFrame{8, "\x03\xeb"}));
}

TEST_F(HttpConformance, XEP0124_5_RequestsArePosts) {
    HttpClient client(gate_.connect("all-none"));
    client.ask("GET", "/http-bind");
    EXPECT_EQ(client.hear().status, 405U);
    client.post(session_request);
    EXPECT_EQ(client.hear().status, 200U);
}

TEST_F(HttpConformance, XEP0124_7_1_TheContentTypeIsWhatTheClientAskedFor) {
    HttpClient client(gate_.connect("all-none"));
    EXPECT_EQ(client.hear_after_post(session_request).headers.at("content-type"),
              "text/xml; charset=utf-8");
    auto const asked_for = [&](const std::string& type) {
        auto const created = client.hear_after_post(
            "<body xmlns='http://jabber.org/protocol/httpbind' to='example.org' wait='0' hold='0' "
            "ver='1.6' rid='1' content='" +
            type + "'/>");
        auto const next = client.hear_after_post(request_of(sid_in(created.body), 2));
        EXPECT_EQ(next.headers.at("content-type"), created.headers.at("content-type"));
        return next.headers.at("content-type");
    };
    EXPECT_EQ(asked_for("application/xml"), "application/xml");
    EXPECT_EQ(asked_for("text/html"), "text/xml; charset=utf-8");
}

// A browser that is made to post here by a page of another site, and shows what it gets.
TEST_F(HttpConformance, NoResponseIsAPageWithScripts) {
    HttpClient client(gate_.connect("all"));
    client.post(session_request);
    client.ask("GET", "/.well-known/host-meta");
    client.ask("GET", "/nothing");
    client.ask("GET", "/xmpp-websocket");
    client.say("NONSENSE\r\n\r\n");
    for (unsigned const status : {200U, 200U, 404U, 426U, 400U}) {
        auto const answer = client.hear();
        EXPECT_EQ(answer.status, status);
        EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
        EXPECT_EQ(answer.headers.at("content-security-policy"), "default-src 'none'; sandbox");
    }
}

TEST_F(HttpConformance, XEP0124_7_2_EverySidIsAnother) {
    HttpClient client(gate_.connect("all-none"));
    std::set<std::string> sids;
    for (int i = 0; i < 20; ++i) sids.insert(sid_in(client.hear_after_post(session_request).body));
    EXPECT_EQ(sids.size(), 20U);
    EXPECT_EQ(sids.begin()->size(), 32U);
}

// Whoever knows the sid of a session that was opened through TLS can neither use it in the clear
// nor end it.
TEST_F(HttpConformance, XEP0124_19_1_ASecureSessionStaysSecure) {
    HttpClient secure(gate_.connect("all"));
    auto const sid = sid_in(secure.hear_after_post(session_request).body);
    HttpClient clear(gate_.connect("all-none"));
    clear.post(request_of(sid, 2));
    EXPECT_EQ(clear.hear_to_end(), "");
    HttpClient broken(gate_.connect("all-none"));
    broken.post("<body xmlns='http://jabber.org/protocol/httpbind' sid='" + sid + "'><a></body>");
    EXPECT_EQ(broken.hear_to_end(), "");
    auto const answer = secure.hear_after_post(request_of(sid, 2));
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body.find("terminate"), std::string::npos) << answer.body;
}

}  // namespace
}  // namespace stanzagate::proxy
