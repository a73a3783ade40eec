#include "proxy/http_connection.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/proxy/http_client.hpp"
#include "tests/proxy/sockets.hpp"

// HTTP/1.1 (RFC 9112) at the gate's doors, over real sockets.
namespace stanzagate::proxy {
namespace {

using namespace testing;

class HttpConnectionTest : public ::testing::Test {
protected:
    TestUpstream upstream_;
};

TEST_F(HttpConnectionTest, IsKeptAlive) {
    TestGate const gate(upstream_, "");
    for (auto const* const door : {"all", "all-none"}) {
        HttpClient client(gate.connect(door));
        for (int i = 0; i < 5; ++i) {
            client.ask("GET", "/nothing");
            auto const answer = client.hear();
            EXPECT_EQ(answer.status, 404U);
            EXPECT_EQ(answer.body, "Not Found\n");
            EXPECT_EQ(answer.headers.size(), 4U);  // and nothing of who we are
        }
        client.ask("HEAD", "/.well-known/host-meta");
        EXPECT_EQ(client.hear(true).status, 200U);
        client.ask("GET", "/.well-known/host-meta", "Connection: close\r\n");
        auto const last = client.hear();
        EXPECT_EQ(last.headers.at("connection"), "close");
        EXPECT_NE(last.body.find("wss://example.org/"), std::string::npos);
        EXPECT_EQ(client.hear_to_end(), "");
    }
}

TEST_F(HttpConnectionTest, RequestsMayComeInOnePiece) {
    TestGate const gate(upstream_, "");
    HttpClient client(gate.connect("all"));
    std::string many;
    for (int i = 0; i < 50; ++i)
        many += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    client.say(many);
    for (int i = 0; i < 50; ++i) ASSERT_EQ(client.hear().status, 404U) << i;
}

// A TLS record and a system call for each response would keep others waiting.
TEST_F(HttpConnectionTest, WhatIsAnsweredAtOnceGoesOutTogether) {
    TestGate const gate(upstream_, "");
    HttpClient client(gate.connect("all"));
    std::string many;
    for (int i = 0; i < 64; ++i) many += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    client.say(many + "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    auto const encrypted = hear_to_end(client.client().fd());
    int records = 0;
    for (std::size_t at = 0; at + 5 <= encrypted.size(); ++records)
        at += 5 + 256 * static_cast<unsigned char>(encrypted[at + 3]) +
              static_cast<unsigned char>(encrypted[at + 4]);
    EXPECT_LT(records, 12);  // with session tickets and close_notify
}

// As if the others had been alone.
TEST_F(HttpConnectionTest, WhatHasToBeAloneMayComeBehindWhatIsAnswered) {
    TestGate const gate(upstream_, "");
    std::string const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    HttpClient waits(gate.connect("all"));
    waits.say(get +
              "POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
              "Expect: 100-continue\r\n\r\n");
    EXPECT_EQ(waits.hear().status, 404U);
    EXPECT_EQ(waits.hear().status, 100U);
    HttpClient upgrades(gate.connect("all"));
    upgrades.say(get +
                 "GET /xmpp-websocket HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "Sec-WebSocket-Protocol: xmpp\r\n\r\n");
    EXPECT_EQ(upgrades.hear().status, 404U);
    EXPECT_EQ(upgrades.hear().status, 101U);
}

TEST_F(HttpConnectionTest, WhatCannotBeReadIsAnsweredAndEnds) {
    TestGate const gate(upstream_, "");
    struct Case {
        std::string text;
        unsigned status;
    };
    for (auto const& [text, status] : std::vector<Case>{
             {"GET\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\n\r\n", 400},
             {"GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x'), 431},
             {"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n", 413},
             {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                  std::string(20'000, 'x'),
              431},
             {"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n<a/>", 400}}) {
        HttpClient client(gate.connect("all"));
        client.say(text);
        EXPECT_EQ(client.hear().status, status) << text.substr(0, 60);
        if (text.ends_with("<a/>")) continue;  // the request was HTTP all the same
        EXPECT_EQ(client.hear_to_end(), "") << text.substr(0, 60);
    }
}

// What another server would take for the body of a request is never one of its own.
TEST_F(HttpConnectionTest, NoRequestHidesInABody) {
    TestGate const gate(upstream_, "");
    std::string const inner = "GET /.well-known/host-meta HTTP/1.1\r\nHost: example.org\r\n\r\n";
    for (std::string const version : {"1.1", "1.0"}) {
        for (std::string const encoding : {"xchunked", "gzip", "chunked, identity", "chunked"}) {
            if (version == "1.1" && encoding == "chunked") continue;  // as it should be
            HttpClient client(gate.connect("all"));
            client.say("POST /nowhere HTTP/" + version +
                       "\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: " + encoding +
                       "\r\n\r\n0\r\n\r\n" + inner);
            EXPECT_EQ(client.hear().status, 400U) << version << encoding;
            EXPECT_EQ(client.hear_to_end(), "") << version << encoding;
        }
    }
}

// RFC 9110 section 9.3.2: or the next response would begin with it.
TEST_F(HttpConnectionTest, AHeadIsAnsweredWithoutABody) {
    TestGate const gate(upstream_, "");
    HttpClient client(gate.connect("all"));
    struct Case {
        std::string path;
        unsigned status;
    };
    for (auto const& [path, status] : std::vector<Case>{{"/.well-known/host-meta", 200},
                                                        {"/nothing", 404},
                                                        {"/http-bind", 405},
                                                        {"/xmpp-websocket", 405}}) {
        client.ask("HEAD", path);
        auto const answer = client.hear(true);
        EXPECT_EQ(answer.status, status) << path;
        EXPECT_NE(answer.headers.at("content-length"), "0") << path;
    }
    client.say("HEAD / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(client.hear(true).status, 400U);
    EXPECT_EQ(client.hear_to_end(), "");
}

// What was answered comes whole, however late it is fetched.
TEST_F(HttpConnectionTest, AClientThatHasHalfClosedGetsItsAnswers) {
    TestGate const gate(upstream_, "", {.send = 4096, .receive = 0});
    std::string many;
    int const count = 700;
    for (int i = 0; i < count; ++i)
        many += "GET /.well-known/host-meta HTTP/1.1\r\nHost: example.org\r\n\r\n";
    for (std::string const last : {"", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}) {
        for (auto const* const door : {"all", "all-none"}) {
            HttpClient client(gate.connect(door));
            client.client().say_last(many + last);
            auto const heard = client.hear_to_end();
            int answers = 0;
            for (auto at = heard.find("HTTP/1.1 "); at != std::string::npos;
                 at = heard.find("HTTP/1.1 ", at + 1))
                ++answers;
            EXPECT_EQ(answers, count + (last.empty() ? 0 : 1)) << door;
            EXPECT_TRUE(heard.ends_with(last.empty() ? "</XRD>\n" : "Not Found\n")) << door;
        }
    }
}

TEST_F(HttpConnectionTest, ABodyIsAskedForWhereTheClientWaits) {
    TestGate const gate(upstream_, "");
    HttpClient client(gate.connect("all"));
    client.say(
        "POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.hear().status, 100U);
    client.say("<a/>");
    EXPECT_EQ(client.hear().status, 400U);
}

// A request has to be whole within the time for negotiation, however slowly it comes.
TEST_F(HttpConnectionTest, ASlowRequestEnds) {
    TestGate const gate(upstream_, "limits.negotiation_timeout = '1s'\n");
    HttpClient client(gate.connect("all"));
    client.say("GET / HTTP/1.1\r\n");
    EXPECT_EQ(client.hear().status, 408U);
    EXPECT_EQ(client.hear_to_end(), "");
    HttpClient idle(gate.connect("all"));
    idle.ask("GET", "/");
    EXPECT_EQ(idle.hear().status, 404U);
    EXPECT_EQ(idle.hear_to_end(), "");
}

// Connections that only speak HTTP do not hold up a process that stops.
TEST_F(HttpConnectionTest, AnIdleConnectionDoesNotDelayTheEnd) {
    TestGate gate(upstream_, "");
    HttpClient client(gate.connect("all"));
    client.ask("GET", "/");
    EXPECT_EQ(client.hear().status, 404U);
    gate.drain(std::chrono::hours(1));
    gate.join();
    EXPECT_EQ(client.hear_to_end(), "");
}

// An address from a header decides only where the peer is trusted.
TEST_F(HttpConnectionTest, ForwardedAddressesAreBelievedFromWhomIsTrusted) {
    TestGate gate(upstream_, "");
    std::string const create =
        "<body xmlns='http://jabber.org/protocol/httpbind' to='example.org' wait='0' hold='0' "
        "ver='1.6' rid='1'/>";
    HttpClient trusted(gate.connect_from("127.0.0.3", "all"));
    trusted.ask("POST", "/http-bind", "X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n", create);
    EXPECT_TRUE(upstream_.accept());
    trusted.ask("POST", "/http-bind", "Forwarded: for=unknown\r\n", create);
    EXPECT_TRUE(upstream_.accept());
    trusted.ask("POST", "/http-bind", "X-Forwarded-For: who\r\n", create);
    HttpClient in_trailers(gate.connect_from("127.0.0.3", "all"));
    std::ostringstream size;
    size << std::hex << create.size();
    in_trailers.say(
        "POST /http-bind HTTP/1.1\r\nHost: example.org\r\nX-Forwarded-For: 198.51.100.9\r\n"
        "Transfer-Encoding: chunked\r\n\r\n" +
        size.str() + "\r\n" + create +
        "\r\n0\r\nX-Forwarded-For: 203.0.113.10\r\nForwarded: for=203.0.113.10\r\n\r\n");
    EXPECT_TRUE(upstream_.accept());
    HttpClient stranger(gate.connect("all"));
    stranger.ask("POST", "/http-bind", "X-Forwarded-For: 198.51.100.8\r\n", create);
    EXPECT_TRUE(upstream_.accept());
    gate.drain(std::chrono::milliseconds(1));
    auto const log = gate.join();
    EXPECT_EQ(events(log, "forwarded_refused").size(), 1U);
    auto const ends = events(log, "session_end");
    ASSERT_EQ(ends.size(), 4U);
    auto const named = [&](const std::string& peer) {
        return std::count_if(ends.begin(), ends.end(), [&](auto const& end) {
            return end.find(" peer=" + peer + ' ') != std::string::npos;
        });
    };
    EXPECT_EQ(named("198.51.100.7"), 1);
    EXPECT_EQ(named("198.51.100.9"), 1);
    EXPECT_EQ(named("127.0.0.1"), 1);
}

}  // namespace
}  // namespace stanzagate::proxy
