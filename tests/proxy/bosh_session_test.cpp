#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "tests/filters/registration_corpus.hpp"
#include "tests/proxy/bosh_session.hpp"
#include "tests/proxy/sockets.hpp"

// Sessions over BOSH (XEP-0124, XEP-0206), through real sockets: workers on their threads, a
// client, and a recording upstream. What a session does with its requests is tested in filters/;
// here it is how they come and go.
namespace stanzagate::proxy {
namespace {

using namespace testing;

class BoshSessionTest : public ::testing::Test {
protected:
    TestUpstream upstream_;
};

TEST_F(BoshSessionTest, ASessionFromOpenToTerminate) {
    TestGate gate(upstream_, "");
    BoshSession session(gate, upstream_);
    session.open();
    session.authenticate();
    session.post(message);
    EXPECT_EQ(hear(session.upstream, message.size()), message);
    say(session.upstream, message);
    auto const answer = session.http.hear();
    EXPECT_NE(answer.body.find(message), std::string::npos) << answer.body;
    EXPECT_EQ(answer.headers.at("content-type"), "text/xml; charset=utf-8");
    EXPECT_EQ(answer.headers.at("access-control-allow-origin"), "*");
    EXPECT_EQ(answer.headers.size(), 5U);
    session.post("<presence xmlns='jabber:client' type='unavailable'/>", "type='terminate'");
    EXPECT_NE(hear_to_end(session.upstream).find("<presence"), std::string::npos);
    EXPECT_EQ(attribute(session.http.hear().body, "type"), "terminate");
    EXPECT_NE(session.http.hear_after_post(session.body("")).body.find("item-not-found"),
              std::string::npos);
    gate.drain(std::chrono::milliseconds(1));
    auto const ends = events(gate.join(), "session_end");
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_NE(ends[0].find("transport=bosh why=client_closed authenticated=yes"), std::string::npos)
        << ends[0];
}

TEST_F(BoshSessionTest, RegistrationNeverReachesTheUpstream) {
    TestGate gate(upstream_, "limits.connect_rate = '10000/s'\n");
    unsigned asked = 0;
    for (auto const& request : filters::registration_corpus(20, 5)) {
        BoshSession session(gate, upstream_);
        session.open();
        session.post(request.xml,
                     "xmlns:hc='jabber:client' xmlns:hr='jabber:iq:register' "
                     "xmlns:stream='http://etherx.jabber.org/streams'");
        auto const answer = session.http.hear();
        EXPECT_NE(answer.body.find("<iq "), std::string::npos) << request.xml << answer.body;
        session.post(message);
        EXPECT_EQ(hear(session.upstream, message.size()), message) << request.xml;
        ++asked;
    }
    gate.drain(std::chrono::milliseconds(1));
    auto const log = gate.join();
    for (auto const& line : events(log, "registration"))
        EXPECT_NE(line.find("transport=bosh"), std::string::npos) << line;
    EXPECT_EQ(events(log, "session_end").size(), asked);
}

// A session belongs to one worker, and its requests come to any.
TEST_F(BoshSessionTest, EveryWorkerFindsEverySession) {
    TestGate gate(upstream_, "", {}, 2);
    BoshSession session(gate, upstream_);
    session.open();
    session.http = HttpClient(gate.connect("all", 1));
    session.authenticate();
    for (unsigned i = 0; i < 20; ++i) {
        session.http = HttpClient(gate.connect("all", i % 2));
        session.post(message);
        EXPECT_EQ(hear(session.upstream, message.size()), message);
        say(session.upstream, message);
        EXPECT_NE(session.http.hear().body.find(message), std::string::npos);
    }
    // while its request waits at the other worker, the answer finds it there
    HttpClient other(gate.connect("all", 1));
    other.post(session.body(""));
    say(session.upstream, message);
    EXPECT_NE(other.hear().body.find(message), std::string::npos);
}

// XEP-0124 section 14: a response that was lost is there again.
TEST_F(BoshSessionTest, AnswersOnABrokenConnectionCanBeHadAgain) {
    TestGate const gate(upstream_, "", {}, 2);
    BoshSession session(gate, upstream_);
    session.open();
    session.authenticate();
    auto const request = session.body(message);
    session.http.post(request);
    EXPECT_EQ(hear(session.upstream, message.size()), message);
    session.http = HttpClient(gate.connect("all", 1));  // and the one before is gone
    session.http.post(request);
    say(session.upstream, "<message xmlns='jabber:client' id='1'/>");
    EXPECT_NE(session.http.hear().body.find("id='1'"), std::string::npos);
    session.http = HttpClient(gate.connect("all", 0));
    EXPECT_NE(session.http.hear_after_post(request).body.find("id='1'"), std::string::npos);
    session.post("<message xmlns='jabber:client' id='2'/>");
    EXPECT_EQ(hear(session.upstream, 39), "<message xmlns='jabber:client' id='2'/>");
}

// Two requests behind one another on one connection are answered in their order.
TEST_F(BoshSessionTest, PipelinedRequestsAreAnsweredInOrder) {
    TestGate const gate(upstream_, "");
    BoshSession session(gate, upstream_);
    session.open();
    session.authenticate();
    session.post(message);
    session.post(message);
    session.http.ask("GET", "/nothing-here");
    EXPECT_EQ(hear(session.upstream, 2 * message.size()), message + message);
    EXPECT_EQ(session.http.hear().status, 200U);
    say(session.upstream, message);
    EXPECT_NE(session.http.hear().body.find(message), std::string::npos);
    EXPECT_EQ(session.http.hear().status, 404U);
}

TEST_F(BoshSessionTest, AnUpstreamThatDiesEndsTheSessionWithWordOfIt) {
    TestGate gate(upstream_, "");
    BoshSession session(gate, upstream_);
    session.open();
    session.authenticate();
    session.post("");
    session.upstream.reset();
    auto const answer = session.http.hear();
    EXPECT_EQ(attribute(answer.body, "type"), "terminate");
    EXPECT_EQ(attribute(answer.body, "condition"), "remote-connection-failed");
    gate.drain(std::chrono::milliseconds(1));
    EXPECT_NE(events(gate.join(), "session_end").at(0).find("why=upstream_closed"),
              std::string::npos);
}

// Nobody asked at the moment when it died: whoever asks next is told.
TEST_F(BoshSessionTest, TheLastWordWaitsForTheNextRequest) {
    TestGate const gate(upstream_, "");
    BoshSession session(gate, upstream_);
    session.open();
    session.authenticate();
    session.upstream.reset();
    auto const answer = session.http.hear_after_post(session.body(""));
    EXPECT_EQ(attribute(answer.body, "condition"), "remote-connection-failed");
}

TEST_F(BoshSessionTest, WhatIsNoStanzaEndsTheStreamAndLeavesNothingBehind) {
    TestGate gate(upstream_, "");
    std::string const big(17000, 'x');
    for (auto const& payload :
         {"<a>" + big + "</a>", std::string("<a>"), std::string("<!DOCTYPE a><a/>")}) {
        BoshSession session(gate, upstream_);
        session.open();
        session.post(payload);
        EXPECT_EQ(attribute(session.http.hear().body, "type"), "terminate") << payload;
        EXPECT_EQ(hear_to_end(session.upstream), "");
    }
}

// Before authentication a request is no longer than a few stanzas; after it, than a message may be.
TEST_F(BoshSessionTest, LongRequestsAreForThoseWhoAreAuthenticated) {
    TestGate const gate(upstream_, "");
    std::string const big =
        "<message xmlns='jabber:client'>" + std::string(200'000, 'x') + "</message>";
    BoshSession before(gate, upstream_);
    before.open();
    before.post(big);
    EXPECT_EQ(before.http.hear().status, 413U);
    EXPECT_EQ(before.http.hear_to_end(), "");
    BoshSession session(gate, upstream_);
    session.open();
    session.authenticate();
    session.post(big);
    EXPECT_TRUE(hear(session.upstream, big.size()) == big);
    session.post("<message>" + std::string(1'100'000, 'x') + "</message>");
    say(session.upstream, message);
    EXPECT_EQ(session.http.hear().status, 200U);
    EXPECT_EQ(session.http.hear().status, 413U);
}

// What it said before waits for an upstream that does not take it.
TEST_F(BoshSessionTest, AClientThatIsOverIsNotWaitedForByAnUpstreamThatDoesNotRead) {
    TestUpstream const slow(8192);
    SmallBuffers const small(8192);
    TestGate gate(slow, "");
    BoshSession session(gate, slow, "all-none");
    session.open();
    session.authenticate();
    std::string const said =
        "<message xmlns='jabber:client'><body>" + std::string(4096, 'x') + "</body></message>";
    gate.say_until_stuck(Direction::to_upstream, [&] {
        session.post(said);
        return said.size();
    });
    session.post("<a>");
    EXPECT_TRUE(gate.ends_in_time(SessionEnd::refused));
}

TEST_F(BoshSessionTest, DrainingTerminatesSessions) {
    TestGate gate(upstream_, "", {}, 2);
    BoshSession session(gate, upstream_);
    session.open();
    session.http = HttpClient(gate.connect("all", 1));
    session.authenticate();
    gate.drain(std::chrono::milliseconds(700));
    session.post(message);  // it lives as long as it may, and so does the way to it
    EXPECT_EQ(hear(session.upstream, message.size()), message);
    auto const answer = session.http.hear();
    EXPECT_EQ(attribute(answer.body, "condition"), "system-shutdown") << answer.body;
    auto const ends = events(gate.join(), "session_end");
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_NE(ends[0].find("why=drained"), std::string::npos) << ends[0];
}

// RFC 9112 section 9.6. Here the last request is answered only when the server says something:
// until then, and after, whatever stands behind it is nobody's request.
TEST_F(BoshSessionTest, NothingBehindTheLastRequestIsRead) {
    std::string const create =
        "<body xmlns='http://jabber.org/protocol/httpbind' to='example.org' wait='30' hold='1' "
        "ver='1.6' rid='1'/>";
    auto const post = [&](const std::string& headers) {
        return "POST /http-bind HTTP/1.1\r\nHost: example.org\r\n" + headers +
               "Content-Length: " + std::to_string(create.size()) + "\r\n\r\n" + create;
    };
    struct Case {
        std::string requests;
        std::vector<unsigned> answers;
    };
    for (auto const& [requests, answers] :
         std::vector<Case>{{post("Connection: close\r\n"), {200}},
                           {post("Connection: close\r\n") + post(""), {200}},
                           {post("") + "NONSENSE\r\n\r\n", {200, 400}}}) {
        TestGate gate(upstream_, "");
        HttpClient client(gate.connect("all"));
        client.say(requests);
        auto const upstream = upstream_.accept();
        client.say(post(""));
        say(upstream, server_header + server_features);
        for (auto const answer : answers) EXPECT_EQ(client.hear().status, answer);
        EXPECT_EQ(client.hear_to_end(), "");
        gate.drain(std::chrono::milliseconds(1));
        EXPECT_EQ(events(gate.join(), "session_end").size(), 1U) << requests;
    }
}

// The time for half a request is not that of the one before it, which waits for the server.
TEST_F(BoshSessionTest, ABrokenRequestDoesNotEndTheOneThatWaits) {
    TestGate gate(upstream_, "limits.negotiation_timeout = '2s'\n");
    BoshSession session(gate, upstream_);
    session.open();
    session.authenticate();
    session.post("");
    session.http.say("NONSENSE\r\n\r\n");
    for (int i = 0; i < 5; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));  // it arrives meanwhile
        gate.pass(std::chrono::seconds(3));
    }
    say(session.upstream, message);
    EXPECT_NE(session.http.hear().body.find(message), std::string::npos);
    EXPECT_EQ(session.http.hear().status, 400U);
}

// Who has asked for several things is told of all before the process ends.
TEST_F(BoshSessionTest, DrainingAnswersAllWhoWait) {
    TestGate gate(upstream_, "");
    BoshSession session(gate, upstream_);
    session.open();
    session.authenticate();
    session.post("");
    session.http.ask("GET", "/nothing");
    session.http.ask("GET", "/nothing/else");
    gate.drain(std::chrono::milliseconds(500));
    EXPECT_NE(session.http.hear().body.find("system-shutdown"), std::string::npos);
    EXPECT_EQ(session.http.hear().status, 404U);
    auto const last = session.http.hear();
    EXPECT_EQ(last.status, 404U);
    EXPECT_EQ(last.headers.at("connection"), "close");
    EXPECT_EQ(session.http.hear_to_end(), "");
}

}  // namespace
}  // namespace stanzagate::proxy
