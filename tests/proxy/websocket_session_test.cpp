#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/filters/random_stream.hpp"
#include "tests/filters/registration_corpus.hpp"
#include "tests/proxy/http_client.hpp"
#include "tests/proxy/sockets.hpp"

// Sessions over WebSocket (RFC 7395), through real sockets: a Worker on its thread, a client, and a
// recording upstream.
namespace stanzagate::proxy {
namespace {

using namespace testing;
using filters::testing::client_frame;
using filters::testing::ServerFrame;

const std::string framing = "xmlns='urn:ietf:params:xml:ns:xmpp-framing'";
const std::string open_message = "<open " + framing + " to='example.org' version='1.0'/>";
const std::string close_message = "<close " + framing + "/>";
const std::string auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X'>AA==</auth>";
const std::string success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const std::string server_header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1' from='example.org' "
    "version='1.0' xmlns:stream='http://etherx.jabber.org/streams'>";
const std::string server_features = "<stream:features></stream:features>";

const ServerFrame close_frame{8, "\x03\xe8"};
const ServerFrame gone_frame{8, "\x03\xe9"};

struct WebsocketSession {
    WebsocketSession(const TestGate& gate, const TestUpstream& server,
                     std::string_view door = "all")
        : client(gate.connect(door)), upstream_server(server) {
        EXPECT_EQ(client.open().status, 101U);
    }

    // Up to the end of what the client's header became.
    std::string hear_header() {
        std::string header;
        while (!header.ends_with(">") || header.find("stream:stream") == std::string::npos)
            header += hear(upstream, 1);
        return header;
    }
    void open() {
        client.say(open_message);
        upstream = upstream_server.accept();
        hear_header();
        say(upstream, server_header + server_features);
        EXPECT_EQ(client.hear_text().substr(0, 6), "<open ");
        EXPECT_EQ(client.hear_text().substr(0, 16), "<stream:features");
    }
    void authenticate() {
        client.say(auth);
        EXPECT_EQ(hear(upstream, auth.size()), auth);
        say(upstream, success);
        EXPECT_EQ(client.hear_text(), success);
        client.say(open_message);
        hear_header();
        say(upstream, server_header + server_features);
        EXPECT_EQ(client.hear_text().substr(0, 6), "<open ");
        EXPECT_EQ(client.hear_text().substr(0, 16), "<stream:features");
    }

    WebsocketClient client;
    const TestUpstream& upstream_server;
    Fd upstream;
};

class WebsocketSessionTest : public ::testing::Test {
protected:
    TestUpstream upstream_;
};

TEST_F(WebsocketSessionTest, TheHandshakeIsRfc6455s) {
    TestGate const gate(upstream_, "");
    WebsocketClient client(gate.connect("all"));
    auto const answer = client.open();
    EXPECT_EQ(answer.status, 101U);
    EXPECT_EQ(answer.headers.at("upgrade"), "websocket");
    EXPECT_EQ(answer.headers.at("connection"), "Upgrade");
    EXPECT_EQ(answer.headers.at("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_EQ(answer.headers.at("sec-websocket-protocol"), "xmpp");
    EXPECT_EQ(answer.headers.size(), 4U);
}

TEST_F(WebsocketSessionTest, ASessionFromOpenToClose) {
    TestGate gate(upstream_, "");
    WebsocketSession session(gate, upstream_);
    session.open();
    session.authenticate();
    std::string const message =
        "<message xmlns='jabber:client' to='a@b'><body>&lt;é</body></message>";
    session.client.say(message);
    EXPECT_EQ(hear(session.upstream, message.size()), message);
    say(session.upstream, message);
    EXPECT_EQ(session.client.hear_text(), message);
    session.client.say(close_message);
    EXPECT_EQ(hear(session.upstream, 16), "</stream:stream>");
    say(session.upstream, "</stream:stream>");
    EXPECT_EQ(session.client.hear_text(), close_message);
    EXPECT_EQ(session.client.hear(), close_frame);
    session.client.say_frame(client_frame(8, "\x03\xe8"));
    EXPECT_EQ(session.client.hear(), ServerFrame{});
    EXPECT_EQ(hear_to_end(session.upstream), "");
    gate.drain(std::chrono::milliseconds(1));
    auto const ends = events(gate.join(), "session_end");
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_NE(ends[0].find("transport=websocket why=client_closed authenticated=yes"),
              std::string::npos)
        << ends[0];
}

// One port for all of it, with and without TLS.
TEST_F(WebsocketSessionTest, OnePortServesXmppToo) {
    TestGate const gate(upstream_, "");
    for (auto const* const door : {"all", "all-none"}) {
        WebsocketSession session(gate, upstream_, door);
        session.open();
        auto native = gate.connect(door);
        native.say(
            "<stream:stream xmlns='jabber:client' to='example.org' version='1.0' "
            "xmlns:stream='http://etherx.jabber.org/streams'>");
        EXPECT_TRUE(upstream_.accept()) << door;
    }
}

TEST_F(WebsocketSessionTest, RegistrationNeverReachesTheUpstream) {
    TestGate gate(upstream_, "limits.connect_rate = '1000/s'\n");
    std::string const other = "<message xmlns='jabber:client' id='m'/>";
    for (auto const& request : filters::registration_corpus(40, 3)) {
        WebsocketSession session(gate, upstream_);
        session.open();
        session.client.say(request.xml);
        auto const answer = session.client.hear_text();
        if (answer.find("stream:error") != std::string::npos) {
            EXPECT_EQ(hear_to_end(session.upstream), "") << request.xml;
            continue;
        }
        EXPECT_EQ(answer.rfind("<iq ", 0), 0U) << answer;
        session.client.say(other);
        EXPECT_EQ(hear(session.upstream, other.size()), other) << request.xml;
    }
    gate.drain(std::chrono::milliseconds(1));
    auto const log = gate.join();
    for (auto const& line : events(log, "registration"))
        EXPECT_NE(line.find("transport=websocket"), std::string::npos) << line;
    EXPECT_GE(events(log, "registration").size(), 40U);
}

// One message is one element, and each gets there as it is, in every split.
TEST_F(WebsocketSessionTest, NothingChanges) {
    TestGate const gate(upstream_, "");
    for (unsigned seed = 1; seed <= 6; ++seed) {
        filters::RandomStream random(seed);
        WebsocketSession session(gate, upstream_);
        session.open();
        session.authenticate();
        std::string frames;
        std::string stanzas;
        std::vector<std::string> messages;
        for (int i = 0; i < 60; ++i) {
            messages.push_back("<message xmlns='jabber:client' id='" + std::to_string(i) +
                               "'><body>" + std::string(random.below(2000), 'x') +
                               "&amp;\xf0\x9f\x98\x80</body></message>");
            stanzas += messages.back();
            auto const cut = random.below(static_cast<unsigned>(messages.back().size()));
            if (i % 3 == 0)
                frames += client_frame(1, messages.back());
            else
                frames += client_frame(1, messages.back().substr(0, cut), false) +
                          client_frame(9, "?") + client_frame(0, messages.back().substr(cut));
        }
        std::thread speaker([&] {
            for (std::size_t at = 0; at < frames.size();) {
                auto const size = 1 + random.below(5000);
                session.client.say_frame(std::string_view(frames).substr(at, size));
                at += size;
            }
        });
        EXPECT_TRUE(hear(session.upstream, stanzas.size()) == stanzas) << seed;
        speaker.join();
        for (int i = 0; i < 40; ++i) EXPECT_EQ(session.client.hear(), (ServerFrame{10, "?"}));
        std::thread server([&] { say(session.upstream, stanzas); });
        for (auto const& message : messages) EXPECT_EQ(session.client.hear_text(), message);
        server.join();
    }
}

// RFC 6455 section 5.5.3. All of it comes in one read, if it can: a pong for each would keep the
// worker.
TEST_F(WebsocketSessionTest, OfManyPingsTheLastIsAnswered) {
    TestGate const gate(upstream_, "");
    WebsocketSession session(gate, upstream_);
    session.open();
    std::string many;
    for (int i = 0; i < 1000; ++i) many += client_frame(9, std::to_string(i));
    session.client.say_frame(many);
    int pongs = 0;
    for (ServerFrame frame; frame.payload != "999"; ++pongs) {
        frame = session.client.hear();
        ASSERT_EQ(frame.opcode, 10U);
    }
    EXPECT_LT(pongs, 20);
    session.client.say_frame(client_frame(9, "last") + client_frame(8, "\x03\xe8"));
    auto const last = session.client.hear();
    EXPECT_TRUE(last == close_frame || last == (ServerFrame{10, "last"}));
}

TEST_F(WebsocketSessionTest, WhatIsNoStanzaEndsTheStreamAndLeavesNothingBehind) {
    struct Case {
        std::string frame;
        std::string condition;
    };
    std::string const big(17000, 'x');
    for (auto const& [frame, condition] :
         std::vector<Case>{{client_frame(1, "<a/><b/>"), "bad-format"},
                           {client_frame(1, "<a>"), "not-well-formed"},
                           {client_frame(1, "<!DOCTYPE a><a/>"), "restricted-xml"},
                           {client_frame(1, "<a>" + big + "</a>"), "policy-violation"},
                           {client_frame(1, std::string(100'000, ' ')), "policy-violation"},
                           {client_frame(2, "<a/>"), "bad-format"},
                           {"\x81\x04<a/>", "bad-format"}}) {
        TestGate gate(upstream_, "");
        WebsocketSession session(gate, upstream_);
        session.open();
        session.client.say_frame(frame);
        auto const error = session.client.hear_text();
        EXPECT_NE(error.find("<" + condition), std::string::npos) << condition << ": " << error;
        EXPECT_EQ(session.client.hear_text(), close_message);
        EXPECT_EQ(session.client.hear().opcode, 8U);
        EXPECT_EQ(hear_to_end(session.upstream), "");
        session.client.say_frame(client_frame(8, ""));
        EXPECT_EQ(session.client.hear(), ServerFrame{});
        gate.drain(std::chrono::milliseconds(1));
        auto const log = gate.join();
        ASSERT_EQ(events(log, "session_end").size(), 1U);
        EXPECT_NE(events(log, "session_end")[0].find("why=refused"), std::string::npos);
        ASSERT_EQ(events(log, "stream_error").size(), 1U);
        EXPECT_NE(events(log, "stream_error")[0].find("condition=" + condition), std::string::npos);
    }
}

// RFC 8446 section 6.1: whoever says Close first, and where the client never does.
TEST_F(WebsocketSessionTest, TlsEndsWithCloseNotify) {
    TestGate gate(upstream_, "");
    WebsocketSession closes(gate, upstream_);
    closes.open();
    closes.client.say_frame(client_frame(8, "\x03\xe8"));
    WebsocketSession is_closed(gate, upstream_);
    is_closed.open();
    is_closed.authenticate();
    say(is_closed.upstream, "</stream:stream>");
    EXPECT_EQ(is_closed.client.hear_text(), close_message);
    is_closed.client.say_frame(client_frame(8, "\x03\xe8"));
    for (auto* const session : {&closes, &is_closed}) {
        EXPECT_EQ(session->client.hear(), close_frame);
        EXPECT_EQ(session->client.hear(), ServerFrame{});
        EXPECT_TRUE(session->client.client().told_end());
    }
    WebsocketSession silent(gate, upstream_);
    silent.open();
    silent.upstream.reset();
    while (silent.client.hear().opcode == 1) continue;
    gate.pass(std::chrono::seconds(61));
    EXPECT_EQ(silent.client.hear(), ServerFrame{});
    EXPECT_TRUE(silent.client.client().told_end());
}

// Its stream was cut, not closed: the client may resume it.
TEST_F(WebsocketSessionTest, AnUpstreamThatDiesIsNoCloseOfTheStream) {
    TestGate gate(upstream_, "");
    WebsocketSession session(gate, upstream_);
    session.open();
    session.authenticate();
    session.upstream.reset();
    EXPECT_EQ(session.client.hear(), gone_frame);
    session.client.say_frame(client_frame(8, "\x03\xe9"));
    EXPECT_EQ(session.client.hear(), ServerFrame{});
    gate.drain(std::chrono::milliseconds(1));
    EXPECT_NE(events(gate.join(), "session_end").at(0).find("why=upstream_closed"),
              std::string::npos);
}

TEST_F(WebsocketSessionTest, AnUpstreamThatDiesBeforeAuthenticationIsAStreamError) {
    TestGate const gate(upstream_, "");
    WebsocketSession session(gate, upstream_);
    session.open();
    session.upstream.reset();
    EXPECT_NE(session.client.hear_text().find("<internal-server-error"), std::string::npos);
    EXPECT_EQ(session.client.hear_text(), close_message);
}

TEST_F(WebsocketSessionTest, AClientThatDisappearsTakesItsUpstreamAlong) {
    TestGate gate(upstream_, "");
    WebsocketSession before(gate, upstream_);
    WebsocketSession after(gate, upstream_);
    before.open();
    after.open();
    after.authenticate();
    before.client.client().fd().reset();
    after.client.client().fd().reset();
    EXPECT_EQ(hear_to_end(before.upstream), "");
    EXPECT_EQ(hear_to_end(after.upstream), "");
    gate.drain(std::chrono::milliseconds(1));
    EXPECT_EQ(events(gate.join(), "session_end").size(), 2U);
}

std::string long_message() {
    return "<message xmlns='jabber:client'><body>" + std::string(4096, 'x') + "</body></message>";
}

// Their ends stand behind what the other side does not take, and are never reached.
TEST_F(WebsocketSessionTest, AnUpstreamThatClosedIsNotWaitedForByAClientThatDoesNotRead) {
    TestGate gate(upstream_, "", {.send = 8192});
    WebsocketSession session(gate, upstream_, "all-none");
    session.open();
    session.authenticate();
    auto const message = long_message();
    gate.say_until_stuck(Direction::to_client, [&] {
        say(session.upstream, message);
        return message.size();
    });
    session.upstream.reset();
    EXPECT_TRUE(gate.ends_in_time(SessionEnd::upstream_closed));
}

TEST_F(WebsocketSessionTest, AClientThatClosedIsNotWaitedForByAnUpstreamThatDoesNotRead) {
    TestUpstream const slow(8192);
    SmallBuffers const small(8192);
    TestGate gate(slow, "");
    WebsocketSession session(gate, slow, "all-none");
    session.open();
    session.authenticate();
    auto const message = long_message();
    gate.say_until_stuck(Direction::to_upstream, [&] {
        session.client.say(message);
        return message.size();
    });
    session.client.say(message);
    session.client.client().fd().reset();
    EXPECT_TRUE(gate.ends_in_time(SessionEnd::client_closed));
}

TEST_F(WebsocketSessionTest, DrainingSaysSystemShutdownToAll) {
    TestGate gate(upstream_, "");
    WebsocketSession negotiating(gate, upstream_);
    WebsocketSession relaying(gate, upstream_);
    negotiating.open();
    relaying.open();
    relaying.authenticate();
    gate.drain(std::chrono::milliseconds(200));
    for (auto* const session : {&negotiating, &relaying}) {
        EXPECT_NE(session->client.hear_text().find("<system-shutdown"), std::string::npos);
        EXPECT_EQ(session->client.hear_text(), close_message);
        EXPECT_EQ(session->client.hear().opcode, 8U);
        session->client.say_frame(client_frame(8, ""));
    }
    for (auto const& end : events(gate.join(), "session_end"))
        EXPECT_NE(end.find("why=drained"), std::string::npos) << end;
}

}  // namespace
}  // namespace stanzagate::proxy
