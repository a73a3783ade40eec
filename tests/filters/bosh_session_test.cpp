#include <gtest/gtest.h>

#include <string>

#include "tests/filters/bosh_client.hpp"
#include "tests/filters/framing.hpp"

// How a session begins, holds, waits and restarts. Tests are named by sections of XEP-0124 and
// XEP-0206.
namespace stanzagate::filters {
namespace {

using namespace std::chrono_literals;

bool has(const std::optional<std::string>& answer, std::string_view part) {
    return answer && answer->find(part) != std::string::npos;
}

class XEP0124_Session : public testing::Test {
protected:
    void TearDown() override { EXPECT_EQ(client.broken_promise, ""); }
    BoshClient client;
};

using XEP0206_Session = XEP0124_Session;

TEST_F(XEP0124_Session, Section7_1_AHeaderGoesUpstream) {
    client.create("from='ann@example.org' xml:lang='de' wait='60' hold='1' ver='1.6'");
    EXPECT_EQ(client.take_upstream(),
              "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
              "xmlns:stream='http://etherx.jabber.org/streams' to='example.org' "
              "from='ann@example.org' version='1.0' xml:lang='de'>");
}

TEST_F(XEP0124_Session, Section7_1_ThePayloadOfTheFirstRequestFollowsTheHeader) {
    client.send("rid='7' to='example.org' ver='1.6'", "<auth xmlns='urn:xmpp:sasl:2'/>");
    auto const framing = frame_up({client.take_upstream()});
    ASSERT_EQ(framing.frames.size(), 2U);
    EXPECT_EQ(framing.frames[1].raw, "<auth xmlns='urn:xmpp:sasl:2'/>");
}

TEST_F(XEP0124_Session, Section7_2_TheResponseSaysWhatWasAgreed) {
    auto const id = client.create("wait='30' hold='1' ver='1.6' ack='1'");
    EXPECT_EQ(client.answer(id), std::nullopt);
    client.server(bosh_server_header);
    EXPECT_EQ(client.answer(id), std::nullopt);
    client.server(bosh_server_features);
    EXPECT_EQ(
        client.answer(id),
        "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' "
        "xmlns:stream='http://etherx.jabber.org/streams' sid='SomeSID' wait='30' requests='2' "
        "hold='1' inactivity='60' ver='1.6' ack='1000' xmpp:restartlogic='true' polling='2' "
        "maxpause='120' from='example.org' xmpp:version='1.0' authid='i7'><stream:features "
        "xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:b'/>"
        "</stream:features></body>");
}

TEST_F(XEP0124_Session, Section7_2_WaitHoldAndVerAreNeverAboveTheClients) {
    auto const agreed = [](const std::string& asked) {
        BoshClient one;
        auto const id = one.create(asked);
        one.server(std::string(bosh_server_header) + std::string(bosh_server_features));
        return one.answer(id);
    };
    EXPECT_TRUE(has(agreed("wait='5' hold='1' ver='1.6'"), " wait='5' requests='2' hold='1'"));
    EXPECT_TRUE(has(agreed("wait='9999' hold='9' ver='2.0'"), " wait='60' requests='3' hold='2'"));
    EXPECT_TRUE(has(agreed("wait='9999' hold='9' ver='2.0'"), " ver='1.11'"));
    EXPECT_TRUE(has(agreed("ver='1.9'"), " ver='1.9'"));
    EXPECT_TRUE(has(agreed("hold='0' ver='1.6'"), " requests='1' hold='0' inactivity='122'"));
    EXPECT_TRUE(has(agreed("ver='1.6'"), " wait='60' requests='2' hold='1'"));
}

TEST_F(XEP0124_Session, Section7_2_SessionAttributesComeOnce) {
    client.open();
    auto const id = client.send_rid(1);
    client.server("<a xmlns='x'/>");
    EXPECT_EQ(client.answer(id), body_of("", "<a xmlns='x'/>"));
}

// The session request is answered in time even where the server says nothing.
TEST_F(XEP0124_Session, Section7_2_WhatTheServerTellsLaterComesLater) {
    auto const first = client.create("wait='10' hold='1' ver='1.6'");
    client.pass(10s);
    EXPECT_TRUE(has(client.answer(first), "sid='SomeSID'"));
    EXPECT_FALSE(has(client.answer(first), "from="));
    auto const second = client.send_rid(1);
    client.server(std::string(bosh_server_header) + std::string(bosh_server_features));
    EXPECT_TRUE(has(client.answer(second), " from='example.org' xmpp:version='1.0' authid='i7'>"));
    EXPECT_FALSE(has(client.answer(second), "sid="));
}

// Of those that no browser takes for a page.
TEST_F(XEP0124_Session, Section7_1_ContentIsTheTypeOfEveryResponse) {
    EXPECT_EQ(client.session().content_type(), "text/xml; charset=utf-8");
    for (auto const* const good : {"text/xml", "application/xml", "application/xml; charset=utf-8",
                                   "Text/XML;charset=UTF-8", "text/xml; charset=\"utf-8\""}) {
        BoshClient other;
        other.create("content='" + std::string(good) + "' ver='1.6'");
        EXPECT_EQ(other.session().content_type(), good);
    }
    for (auto const* const bad :
         {"", "text", "text/html", "text/html; charset=utf-8", "application/xhtml+xml",
          "image/svg+xml", "text/xml; charset=utf-7", "text/xml; charset=utf-8; a=b", "text/xml;",
          "text/xml, text/html", "text/xml&#13;&#10;Set-Cookie: a", "a/b\xC3\xA9", "a/b:c"}) {
        BoshClient other;
        other.create("content='" + std::string(bad) + "' ver='1.6'");
        EXPECT_EQ(other.session().content_type(), "text/xml; charset=utf-8") << bad;
    }
    BoshClient other;
    other.create("content='application/xml" + std::string(1000, ' ') + "' ver='1.6'");
    EXPECT_EQ(other.session().content_type(), "text/xml; charset=utf-8");
}

TEST_F(XEP0124_Session, Section8_ARequestWaitsUntilThereIsAPayload) {
    client.open();
    auto const id = client.send_rid(1);
    client.pass(30s);
    EXPECT_EQ(client.answer(id), std::nullopt);
    client.server("<message/><iq id='1'/>");
    EXPECT_EQ(client.answer(id),
              body_of("", "<message xmlns='jabber:client'/><iq xmlns='jabber:client' id='1'/>"));
}

TEST_F(XEP0124_Session, Section8_APayloadWaitsForARequest) {
    client.open();
    client.server("<message/>");
    auto const id = client.send_rid(1);
    EXPECT_EQ(client.answer(id), body_of("", "<message xmlns='jabber:client'/>"));
}

TEST_F(XEP0124_Session, Section8_NoRequestWaitsLongerThanWait) {
    client.open("wait='20' hold='1' ver='1.6'");
    auto const id = client.send_rid(1);
    client.pass(19999ms);
    EXPECT_EQ(client.answer(id), std::nullopt);
    client.pass(1ms);
    EXPECT_EQ(client.answer(id), empty_body);
}

// Nor one that came before its predecessor, which is due first then.
TEST_F(XEP0124_Session, Section8_NorOneThatCameEarly) {
    client.open("wait='20' hold='2' ver='1.6'");
    auto const second = client.send_rid(2);
    client.pass(5s);
    auto const first = client.send_rid(1);
    client.pass(14999ms);
    EXPECT_EQ(client.answer(first), std::nullopt);
    client.pass(1ms);
    EXPECT_EQ(client.answer(first), body_of("ack='1002'"));
    EXPECT_EQ(client.answer(second), empty_body);
}

TEST_F(XEP0124_Session, Section8_NoMoreRequestsWaitThanHold) {
    client.open();
    auto const first = client.send_rid(1);
    auto const second = client.send_rid(2, "", "<iq/>");
    EXPECT_EQ(client.answer(first), body_of("ack='1002'"));
    EXPECT_EQ(client.answer(second), std::nullopt);
    EXPECT_EQ(client.take_upstream(), "<iq/>");
}

TEST_F(XEP0124_Session, Section8_PayloadsAreForwardedAtOnceAndInOrder) {
    client.open();
    client.send_rid(1, "", "<a/> <b/>");
    EXPECT_EQ(client.take_upstream(), "<a/><b/>");
    client.send_rid(2, "", "<c/>");
    EXPECT_EQ(client.take_upstream(), "<c/>");
}

TEST_F(XEP0124_Session, Section15_KeysMustFollowEachOther) {
    // The hash of x is Hx: K(3) = HHa, K(2) = Ha, K(1) = a.
    client.open("newkey='hHa' ver='1.6'");
    client.send_rid(1, "key='Ha'", "<a/>");
    client.send_rid(2, "key='a' newkey='Hb'", "<b/>");
    client.send_rid(3, "key='b'", "<c/>");
    EXPECT_EQ(client.ended, std::nullopt);
    EXPECT_EQ(client.take_upstream(), "<a/><b/><c/>");
    auto const id = client.send_rid(4, "key='b'", "<d/>");
    EXPECT_EQ(client.answer(id), body_of("type='terminate' condition='item-not-found'"));
    EXPECT_EQ(client.take_upstream(), "");
    EXPECT_EQ(client.ended, BoshEnd::violation);
}

TEST_F(XEP0124_Session, Section15_AKeyMustNotBeMissing) {
    client.open("newkey='Ha' ver='1.6'");
    auto const id = client.send_rid(1, "", "<a/>");
    EXPECT_EQ(client.answer(id), body_of("type='terminate' condition='item-not-found'"));
    EXPECT_EQ(client.take_upstream(), "");
}

TEST_F(XEP0206_Session, Section5_ARestartOpensANewStream) {
    client.open("from='ann@example.org' xml:lang='en' ver='1.6'");
    auto const auth = client.send_rid(1, "", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    client.server(sasl_success);
    EXPECT_EQ(client.answer(auth), body_of("", std::string(sasl_success)));
    client.take_upstream();
    auto const restart = client.send_rid(2, "to='example.org' xml:lang='de' xmpp:restart='true'",
                                         "<ignored xmlns='x'/>");
    EXPECT_EQ(client.take_upstream(),
              "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
              "xmlns:stream='http://etherx.jabber.org/streams' to='example.org' "
              "from='ann@example.org' version='1.0' xml:lang='de'>");
    client.server(std::string(bosh_server_header) + std::string(bosh_server_features));
    EXPECT_TRUE(has(client.answer(restart), "<stream:features"));
    EXPECT_FALSE(has(client.answer(restart), "authid"));
    client.send_rid(3, "", "<iq/>");
    EXPECT_EQ(client.take_upstream(), "<iq/>");
}

TEST_F(XEP0206_Session, Section5_ARestartThatIsNotDueIsRefused) {
    client.open();
    auto const id = client.send_rid(1, "xmpp:restart='true'");
    EXPECT_EQ(client.answer(id), body_of("type='terminate' condition='policy-violation'"));
    EXPECT_EQ(client.take_upstream(), "");
}

// The upstream waits for a header there.
TEST_F(XEP0206_Session, Section5_NothingGoesUpstreamBeforeTheRestart) {
    client.open();
    client.send_rid(1, "", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    client.server(sasl_success);
    client.take_upstream();
    auto const id = client.send_rid(2, "", "<iq/>");
    EXPECT_EQ(client.answer(id), body_of("type='terminate' condition='policy-violation'"));
    EXPECT_EQ(client.take_upstream(), "");
}

TEST_F(XEP0206_Session, Section4_StarttlsAndCompressionAreNotOffered) {
    auto const id = client.create();
    client.server(
        std::string(bosh_server_header) +
        "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><compression "
        "xmlns='http://jabber.org/features/compress'/><a xmlns='a'/></stream:features>");
    EXPECT_TRUE(has(client.answer(id), "><a xmlns='a'/></stream:features>"));
}

// The gate reads nothing while the server has not answered a SASL element.
TEST_F(XEP0124_Session, Section8_WhatTheUpstreamCannotTakeWaits) {
    client.open();
    client.send_rid(1, "", "<auth/>");
    client.upstream_takes(false);
    client.take_upstream();
    client.pass(3s);
    auto const empty = client.send_rid(2);
    auto const payload = client.send_rid(3, "", "<iq/>");
    EXPECT_EQ(client.take_upstream(), "");
    client.server("<challenge/>");
    EXPECT_EQ(client.answer(empty), body_of("ack='1003'", "<challenge xmlns='jabber:client'/>"));
    client.upstream_takes(true);
    EXPECT_EQ(client.take_upstream(), "<iq/>");
    EXPECT_EQ(client.answer(payload), std::nullopt);
}

TEST_F(XEP0124_Session, Section8_WhatNobodyFetchesIsBounded) {
    client.open();
    EXPECT_FALSE(client.session().blocked());
    std::string const stanza = "<message>" + std::string(5'000, 'x') + "</message>";
    for (int i = 0; i < 5; ++i) client.server(stanza);
    EXPECT_TRUE(client.session().blocked());
    client.send_rid(1);
    EXPECT_FALSE(client.session().blocked());
}

// Each is kept for a while: what is long comes in several, and none of it is lost.
TEST_F(XEP0124_Session, Section8_WhatOneResponseCarriesIsBounded) {
    client.open();
    std::string all;
    for (int i = 0; i < 5'000; ++i) all += "<a>" + std::to_string(i) + "</a>";
    std::string heard;
    client.server(all);
    unsigned rid = 0;
    while (client.session().blocked()) {
        auto const answer = client.answer(client.send_rid(++rid, "", "<b/>")).value_or("");
        EXPECT_LT(answer.size(), 40'000U);
        heard += answer;
    }
    heard += client.answer(client.send_rid(++rid, "", "<b/>")).value_or("");
    std::size_t at = 0;
    for (int i = 0; i < 5'000 && at != std::string::npos; ++i)
        at = heard.find(">" + std::to_string(i) + "</a>", at);
    EXPECT_NE(at, std::string::npos);
    EXPECT_EQ(heard.find("<a", at), std::string::npos);
}

TEST_F(XEP0124_Session, Section13_WhatTheServerSaidBeforeItsEndComesWithTheNews) {
    client.open();
    std::string all;
    for (int i = 0; i < 5'000; ++i) all += "<a>" + std::to_string(i) + "</a>";
    client.server(all);
    client.server_gone();
    auto const answer = client.answer(client.send_rid(1)).value_or("");
    EXPECT_NE(answer.find(">4999</a></body>"), std::string::npos);
    EXPECT_EQ(client.ended, BoshEnd::server_closed);
}

}  // namespace
}  // namespace stanzagate::filters
