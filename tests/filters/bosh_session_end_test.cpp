#include <gtest/gtest.h>

#include <string>

#include "tests/filters/bosh_client.hpp"

// How a session ends: XEP-0124 sections 13 and 17, XEP-0206 section 6.
namespace stanzagate::filters {
namespace {

using namespace std::chrono_literals;

class XEP0124_End : public testing::Test {
protected:
    void TearDown() override { EXPECT_EQ(client.broken_promise, ""); }
    BoshClient client;
};

using XEP0206_End = XEP0124_End;

TEST_F(XEP0124_End, Section13_TheClientTerminates) {
    client.open();
    auto const held = client.send_rid(1);
    auto const id = client.send_rid(2, "type='terminate'", "<presence type='unavailable'/>");
    EXPECT_EQ(client.take_upstream(), "<presence type='unavailable'/></stream:stream>");
    EXPECT_EQ(client.answer(held), body_of("type='terminate'"));
    EXPECT_EQ(client.answer(id), empty_body);
    EXPECT_EQ(client.ended, BoshEnd::client_closed);
}

TEST_F(XEP0124_End, Section13_WithNothingHeldItIsTheOldestItself) {
    client.open();
    client.server("<message/>");
    auto const id = client.send_rid(1, "type='terminate'");
    EXPECT_EQ(client.answer(id), body_of("type='terminate'", "<message xmlns='jabber:client'/>"));
    EXPECT_EQ(client.take_upstream(), "</stream:stream>");
}

TEST_F(XEP0124_End, Section13_BetweenTwoStreamsThereIsNoneToClose) {
    client.open();
    client.send_rid(1, "", "<auth/>");
    client.server(sasl_success);
    client.take_upstream();
    client.send_rid(2, "type='terminate'", "<a/>");
    EXPECT_EQ(client.take_upstream(), "");
    EXPECT_EQ(client.ended, BoshEnd::client_closed);
}

TEST_F(XEP0124_End, Section13_TheServerClosesItsStream) {
    client.open();
    auto const id = client.send_rid(1);
    client.server("<message/></stream:stream><never/>");
    EXPECT_EQ(client.answer(id), body_of("type='terminate'", "<message xmlns='jabber:client'/>"));
    EXPECT_EQ(client.ended, BoshEnd::server_closed);
}

TEST_F(XEP0124_End, Section13_TheNewsWaitsForARequest) {
    client.open();
    client.server("</stream:stream>");
    client.server_gone();
    EXPECT_EQ(client.ended, std::nullopt);
    client.pass(30s);
    auto const id = client.send_rid(1, "", "<lost/>");
    EXPECT_EQ(client.answer(id), body_of("type='terminate'"));
    EXPECT_EQ(client.take_upstream(), "");
    EXPECT_EQ(client.ended, BoshEnd::server_closed);
}

TEST_F(XEP0124_End, Section13_ButNotForever) {
    client.open();
    client.server("</stream:stream>");
    client.pass(60s);
    EXPECT_EQ(client.ended, BoshEnd::server_closed);
}

TEST_F(XEP0206_End, Section6_AStreamErrorIsHandedOn) {
    client.open();
    auto const id = client.send_rid(1);
    client.server("<message/><stream:error><reset xmlns='r'/></stream:error></stream:stream>");
    EXPECT_EQ(client.answer(id),
              "<body xmlns='http://jabber.org/protocol/httpbind' "
              "xmlns:stream='http://etherx.jabber.org/streams' type='terminate' "
              "condition='remote-stream-error'><message xmlns='jabber:client'/><stream:error "
              "xmlns:stream='http://etherx.jabber.org/streams'><reset xmlns='r'/></stream:error>"
              "</body>");
    EXPECT_EQ(client.ended, BoshEnd::server_closed);
}

TEST_F(XEP0206_End, Section6_AlsoInAnswerToTheSessionRequest) {
    auto const id = client.create();
    client.server(std::string(bosh_server_header) +
                  stream_error(StreamErrorCondition::host_unknown));
    auto const answer = client.answer(id);
    ASSERT_TRUE(answer);
    EXPECT_NE(answer->find("condition='remote-stream-error'"), std::string::npos);
    EXPECT_NE(answer->find("<host-unknown"), std::string::npos);
    EXPECT_EQ(answer->find("sid="), std::string::npos);
}

TEST_F(XEP0124_End, Section17_2_ALostServer) {
    client.open();
    auto const id = client.send_rid(1);
    client.server_gone();
    EXPECT_EQ(client.answer(id), body_of("type='terminate' condition='remote-connection-failed'"));
    EXPECT_EQ(client.ended, BoshEnd::server_closed);
}

TEST_F(XEP0124_End, Section17_2_AServerThatSpeaksNoXmpp) {
    auto const id = client.create();
    client.server("HTTP/1.1 400 Bad Request\r\n\r\n");
    EXPECT_EQ(client.answer(id), body_of("type='terminate' condition='internal-server-error'"));
}

TEST_F(XEP0124_End, Section17_2_TheGateItselfEndsIt) {
    client.open("wait='60' hold='2' ver='1.6'");
    auto const first = client.send_rid(1);
    auto const second = client.send_rid(2, "", "<a/>");
    client.terminate("system-shutdown");
    EXPECT_EQ(client.answer(first), body_of("type='terminate' condition='system-shutdown'"));
    EXPECT_EQ(client.answer(second), body_of("type='terminate' condition='other-request'"));
}

TEST_F(XEP0124_End, Section17_2_ASessionNeedsATo) {
    for (auto const* const to : {"", "to=''"}) {
        BoshClient other;
        auto const id = other.send("rid='1' ver='1.6' " + std::string(to));
        EXPECT_EQ(other.answer(id), body_of("type='terminate' condition='improper-addressing'"));
        EXPECT_EQ(other.ended, BoshEnd::violation);
        EXPECT_EQ(other.take_upstream(), "");
    }
}

TEST_F(XEP0124_End, Section17_2_ARequestNeedsARid) {
    auto const first = client.send("to='example.org' ver='1.6'");
    EXPECT_EQ(client.answer(first), body_of("type='terminate' condition='bad-request'"));
    BoshClient other;
    other.open();
    auto const id = other.send("sid='SomeSID'", "<a/>");
    EXPECT_EQ(other.answer(id), body_of("type='terminate' condition='bad-request'"));
    EXPECT_EQ(other.take_upstream(), "");
    EXPECT_EQ(other.ended, BoshEnd::violation);
}

TEST_F(XEP0124_End, Section17_2_AnotherSessionsRequestDoesNoHarm) {
    client.open();
    auto const id = client.send("sid='other' rid='1001'", "<a/>");
    EXPECT_EQ(client.answer(id), body_of("type='terminate' condition='item-not-found'"));
    EXPECT_EQ(client.take_upstream(), "");
    EXPECT_EQ(client.ended, std::nullopt);
}

TEST_F(XEP0124_End, Section16_ThereIsOneStream) {
    client.open();
    auto const id = client.send_rid(1, "stream='second'", "<a/>");
    EXPECT_EQ(client.answer(id), body_of("type='terminate' condition='item-not-found'"));
    EXPECT_EQ(client.take_upstream(), "");
}

// Who asks for another stream gets what an empty request gets.
TEST_F(XEP0124_End, Section16_3_AStreamIsNotAdded) {
    client.open();
    auto const id = client.send_rid(1, "to='second.example' xml:lang='de'");
    EXPECT_EQ(client.take_upstream(), "");
    client.server("<a xmlns='x'/>");
    EXPECT_EQ(client.answer(id), body_of("", "<a xmlns='x'/>"));
}

TEST_F(XEP0124_End, Section17_1_LegacyClientsGetHttpCodes) {
    struct Case {
        const char* request;
        const char* answer;
    };
    for (auto const& [request, answer] : {Case{"sid='SomeSID'", "HTTP 400"},
                                          Case{"sid='SomeSID' rid='1001' pause='999'", "HTTP 403"},
                                          Case{"sid='SomeSID' rid='1007'", "HTTP 404"}}) {
        BoshClient legacy;
        legacy.open("wait='60' hold='1'");
        EXPECT_EQ(legacy.answer(legacy.send(request)), answer);
        EXPECT_EQ(legacy.ended, BoshEnd::violation);
    }
    BoshClient legacy;
    legacy.open("wait='60' hold='1'");
    auto const id = legacy.send_rid(1);
    legacy.terminate("system-shutdown");
    EXPECT_EQ(legacy.answer(id), body_of("type='terminate' condition='system-shutdown'"));
}

TEST_F(XEP0124_End, Section17_2_BindingErrors) {
    EXPECT_EQ(binding_error(3, "item-not-found", false).body.text(),
              body_of("type='terminate' condition='item-not-found'"));
    EXPECT_EQ(binding_error(3, "item-not-found", true).status, 404U);
    EXPECT_EQ(binding_error(3, "item-not-found", true).body.text(), "");
    EXPECT_EQ(binding_error(3, "host-unknown", true).status, 200U);
}

}  // namespace
}  // namespace stanzagate::filters
