#include "filters/websocket_reader.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/filters/canonical.hpp"
#include "tests/filters/framing.hpp"

// What a WebSocket client may say, and what becomes of it. Tests are named by sections of RFC 7395.
namespace stanzagate::filters {
namespace {

using std::string_literals::operator""s;
using Condition = StreamErrorCondition;

constexpr const char* open =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>";
constexpr const char* close = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

WebsocketReader opened(const FrameLimits& limits = {}) {
    WebsocketReader reader(limits);
    EXPECT_TRUE(reader.read(open));
    return reader;
}

TEST(RFC7395_3_3_1, OpenBecomesAStreamHeader) {
    WebsocketReader reader(FrameLimits{});
    EXPECT_EQ(reader.read(open),
              "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
              "xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>");
    EXPECT_FALSE(reader.closed());
}

TEST(RFC7395_3_3_1, AttributesOfOpenMeanTheSameInTheHeader) {
    WebsocketReader reader(FrameLimits{});
    auto const header = reader.read(
        "<f:open xmlns:f='urn:ietf:params:xml:ns:xmpp-framing' xmlns:x='urn:x' to=\"&#39;&lt;>\tb\""
        " from='ann@example.org' id='mine' x:to='y' version='1.0' xml:lang='de'></f:open>");
    ASSERT_TRUE(header);
    auto const framing = frame_up({*header});
    ASSERT_EQ(framing.frames.size(), 1U);
    auto const& attributes = framing.frames[0].attributes;
    EXPECT_EQ(attributes.to, "'<> b");
    EXPECT_EQ(attributes.from, "ann@example.org");
    EXPECT_EQ(attributes.version, "1.0");
    EXPECT_EQ(attributes.lang, "de");
    EXPECT_EQ(attributes.id, std::nullopt);
}

TEST(RFC7395_3_3_1, WhatOpenLeavesOutTheHeaderLeavesOut) {
    WebsocketReader reader(FrameLimits{});
    EXPECT_EQ(reader.read("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"),
              "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
              "xmlns:stream='http://etherx.jabber.org/streams'>");
}

TEST(RFC7395_3_6, CloseBecomesTheClosingTag) {
    auto reader = opened();
    EXPECT_EQ(reader.read(close), "</stream:stream>");
    EXPECT_TRUE(reader.closed());
    EXPECT_EQ(reader.read("<a/>"), std::nullopt);
    EXPECT_EQ(reader.error(), Condition::policy_violation);
}

TEST(RFC7395_3_6, CloseBeforeOpenClosesNothing) {
    WebsocketReader reader(FrameLimits{});
    EXPECT_EQ(reader.read(close), "");
    EXPECT_TRUE(reader.closed());
    EXPECT_EQ(reader.error(), std::nullopt);
}

TEST(RFC7395_3_7, ASecondOpenIsARestartWhereOneIsDue) {
    auto reader = opened();
    reader.restart();
    auto const header = reader.read(
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' "
        "from='a@example.org'/>");
    ASSERT_TRUE(header);
    EXPECT_NE(header->find(" from='a@example.org'"), std::string::npos);
    EXPECT_EQ(reader.read("<iq/>"), "<iq/>");
}

TEST(RFC7395_3_7, ASecondOpenIsRefusedWhereNoneIsDue) {
    auto reader = opened();
    EXPECT_EQ(reader.read("<iq/>"), "<iq/>");
    EXPECT_EQ(reader.read(open), std::nullopt);
    EXPECT_EQ(reader.error(), Condition::policy_violation);
}

// The upstream waits for a header there.
TEST(RFC7395_3_7, NothingButOpenRestarts) {
    auto reader = opened();
    reader.restart();
    EXPECT_EQ(reader.read("<iq xmlns='jabber:client'/>"), std::nullopt);
    EXPECT_EQ(reader.error(), Condition::invalid_namespace);
}

TEST(RFC7395_3_3_3, MessagesPassAsTheyAre) {
    auto reader = opened();
    for (auto const* const message :
         {"<message xmlns=\"jabber:client\" xml:lang='en' ><body>a&amp;b &#65;</body></message >",
          "<iq/>", "<p:a xmlns:p='urn:p' p:b='c'/>", "<a><![CDATA[</stream:stream><b>]]></a>",
          "<a b='/stream:stream>'/>", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>eA==</auth>",
          "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><reset "
          "xmlns='x'/></stream:error>"})
        EXPECT_EQ(reader.read(message), message);
}

TEST(RFC7395_3_3_3, DeclarationAndSpaceBehindAreLeftOut) {
    WebsocketReader reader(FrameLimits{});
    EXPECT_TRUE(reader.read("<?xml version='1.0' encoding='UTF-8'?>\n"s + open + "\n"));
    EXPECT_EQ(reader.read("<?xml version=\"1.0\"?><a/>"), "<a/>");
    EXPECT_EQ(reader.read("<a/>\r\n \t"), "<a/>");
}

struct Refused {
    const char* name;
    std::string message;
    Condition condition;
};

std::ostream& operator<<(std::ostream& out, const Refused& refused) {
    return out << refused.name;
}

class RefusedFirst : public testing::TestWithParam<Refused> {};

TEST_P(RefusedFirst, PassesNothing) {
    WebsocketReader reader(FrameLimits{});
    EXPECT_EQ(reader.read(GetParam().message), std::nullopt);
    ASSERT_TRUE(reader.error());
    EXPECT_EQ(to_string(*reader.error()), to_string(GetParam().condition));
    EXPECT_FALSE(reader.too_big());
    EXPECT_EQ(reader.read(open), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(
    RFC7395_3_3_2, RefusedFirst,
    testing::Values(
        Refused{"open_without_namespace", "<open to='example.org'/>", Condition::invalid_namespace},
        Refused{"open_of_another_namespace", "<open xmlns='urn:x' to='example.org'/>",
                Condition::invalid_namespace},
        Refused{"open_in_capitals", "<Open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
                Condition::invalid_namespace},
        Refused{"a_header_as_on_tcp", std::string(client_header), Condition::invalid_namespace},
        Refused{"a_whole_stream_as_on_tcp", std::string(client_header) + "</stream:stream>",
                Condition::invalid_namespace},
        Refused{"a_stanza", "<message xmlns='jabber:client'/>", Condition::invalid_namespace},
        Refused{"open_with_a_child",
                "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'><a/></open>",
                Condition::bad_format},
        Refused{"open_with_text", "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'>a</open>",
                Condition::bad_format},
        Refused{"two_opens", open + std::string(open), Condition::bad_format},
        Refused{"open_and_a_stanza", open + "<iq/>"s, Condition::bad_format},
        Refused{"unfinished_open", "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'>",
                Condition::not_well_formed},
        Refused{"nothing", "", Condition::bad_format},
        Refused{"utf16", "\xFE\xFF\0<\0o"s, Condition::unsupported_encoding}),
    [](auto const& suite) { return suite.param.name; });

class Smuggled : public testing::TestWithParam<Refused> {};

// Not a byte of it goes upstream, and nothing behind it.
TEST_P(Smuggled, PassesNothing) {
    for (bool const authenticated : {false, true}) {
        auto reader = opened();
        if (authenticated) reader.authenticated(FrameLimits{.frame_bytes = 1U << 24U});
        EXPECT_TRUE(reader.read("<iq/>"));
        EXPECT_EQ(reader.read(GetParam().message), std::nullopt);
        ASSERT_TRUE(reader.error());
        EXPECT_EQ(to_string(*reader.error()), to_string(GetParam().condition));
        EXPECT_FALSE(reader.too_big());
        EXPECT_EQ(reader.read("<iq/>"), std::nullopt);
    }
}

INSTANTIATE_TEST_SUITE_P(
    RFC7395_3_3_3, Smuggled,
    testing::Values(
        Refused{"space_first", " <a/>", Condition::bad_format},
        Refused{"whitespace_ping", " ", Condition::bad_format},
        Refused{"text", "text", Condition::bad_format},
        Refused{"nothing", "", Condition::bad_format},
        Refused{"bom", "\xEF\xBB\xBF<a/>", Condition::bad_format},
        Refused{"utf16", "\xFF\xFE<\0a\0/\0>\0"s, Condition::unsupported_encoding},
        Refused{"nul_first", "\0<a/>"s, Condition::unsupported_encoding},
        Refused{"two_elements", "<a/><b/>", Condition::bad_format},
        Refused{"two_elements_and_space", "<a/> <b/>", Condition::bad_format},
        Refused{"text_behind", "<a/>b", Condition::bad_format},
        Refused{"reference_behind", "<a/>&#32;", Condition::bad_format},
        Refused{"cdata_behind", "<a/><![CDATA[ ]]>", Condition::bad_format},
        Refused{"cdata_alone", "<![CDATA[<a/>]]>", Condition::bad_format},
        Refused{"unfinished_behind", "<a/><b", Condition::bad_format},
        Refused{"unfinished", "<a>", Condition::not_well_formed},
        Refused{"unfinished_tag", "<a", Condition::not_well_formed},
        Refused{"unfinished_value", "<a b='", Condition::not_well_formed},
        Refused{"unfinished_cdata", "<a><![CDATA[</a>", Condition::not_well_formed},
        Refused{"closing_tag", "</stream:stream>", Condition::bad_format},
        Refused{"closing_tag_behind", "<a/></stream:stream>", Condition::bad_format},
        Refused{"closed_and_opened",
                "<a/></stream:stream><stream:stream xmlns='jabber:client' "
                "xmlns:stream='http://etherx.jabber.org/streams' to='b'>",
                Condition::bad_format},
        Refused{"another_end_tag", "</a>", Condition::not_well_formed},
        Refused{"end_tag_inside", "<a></stream:stream>", Condition::not_well_formed},
        Refused{"header",
                "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' to='example.org'>",
                Condition::policy_violation},
        Refused{"header_with_a_declaration", std::string(client_header),
                Condition::policy_violation},
        Refused{"header_that_is_whole",
                "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>",
                Condition::policy_violation},
        Refused{"header_by_another_prefix",
                "<x:stream xmlns:x='http://etherx.jabber.org/&#115;treams'/>",
                Condition::policy_violation},
        Refused{"header_that_declares_nothing", "<stream:stream>", Condition::policy_violation},
        Refused{"prefix_of_the_header", "<stream:error/>", Condition::not_well_formed},
        Refused{"prefix_of_the_header_inside", "<a><stream:b/></a>", Condition::not_well_formed},
        Refused{"prefix_of_the_header_in_an_attribute", "<a stream:b=''/>",
                Condition::not_well_formed},
        Refused{"prefix_of_nothing", "<a:b/>", Condition::not_well_formed},
        Refused{"open_again", open, Condition::policy_violation},
        Refused{"open_by_prefix", "<f:open xmlns:f='urn:ietf:params:xml:ns:xmpp-framing'/>",
                Condition::policy_violation},
        Refused{"another_framing_element", "<ping xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
                Condition::bad_format},
        Refused{"close_with_content",
                "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'><a/></close>",
                Condition::bad_format},
        Refused{"close_and_more", close + "<a/>"s, Condition::bad_format},
        Refused{"comment", "<!--x--><a/>", Condition::restricted_xml},
        Refused{"comment_behind", "<a/><!--x-->", Condition::restricted_xml},
        Refused{"comment_inside", "<a><!--x--></a>", Condition::restricted_xml},
        Refused{"instruction", "<?x y?><a/>", Condition::restricted_xml},
        Refused{"stylesheet", "<?xml-stylesheet href='x'?><a/>", Condition::restricted_xml},
        Refused{"doctype", "<!DOCTYPE a [<!ENTITY b '</a>'>]><a>&b;</a>",
                Condition::restricted_xml},
        Refused{"entity", "<a>&nbsp;</a>", Condition::restricted_xml},
        Refused{"bad_utf8", "<a>\xC0\xBC</a>", Condition::unsupported_encoding},
        Refused{"nul_inside", "<a>\0</a>"s, Condition::not_well_formed},
        Refused{"declaration_of_another_encoding", "<?xml version='1.0' encoding='utf-7'?><a/>",
                Condition::unsupported_encoding},
        Refused{"declaration_of_another_version", "<?xml version='1.1'?><a/>",
                Condition::not_well_formed},
        Refused{"declaration_twice", "<?xml version='1.0'?><?xml version='1.0'?><a/>",
                Condition::not_well_formed},
        Refused{"declaration_alone", "<?xml version='1.0'?>", Condition::not_well_formed},
        Refused{"unfinished_declaration", "<?xml version='1.0'", Condition::not_well_formed},
        Refused{"stanza_in_a_declaration", "<?xml version='1.0' <a/>?><b/>",
                Condition::not_well_formed}),
    [](auto const& suite) { return suite.param.name; });

// A prefix that one message declares is gone with it.
TEST(RFC7395_3_3_3, OneMessageDeclaresNothingForTheNext) {
    auto reader = opened();
    EXPECT_TRUE(reader.read("<p:a xmlns:p='urn:p'/>"));
    EXPECT_EQ(reader.read("<p:a/>"), std::nullopt);
    EXPECT_EQ(reader.error(), Condition::not_well_formed);
}

TEST(WebsocketLimits, AreInclusiveAndHoldUntilAuthenticated) {
    FrameLimits const limits{.frame_bytes = 300, .depth = 3, .attributes = 4};
    auto const stanza_of = [](std::size_t size) {
        return "<a>" + std::string(size - 7, 'x') + "</a>";
    };
    auto reader = opened(limits);
    EXPECT_TRUE(reader.read(stanza_of(300)));
    reader.authenticated(FrameLimits{.frame_bytes = 1000, .depth = 10, .attributes = 10});
    EXPECT_TRUE(reader.read(stanza_of(301)));
    EXPECT_TRUE(reader.read("<a><b><c><d/></c></b></a>"));
    EXPECT_TRUE(reader.read("<a b='' c='' d='' e='' f=''/>"));
    EXPECT_EQ(reader.read(stanza_of(1001)), std::nullopt);
    EXPECT_EQ(reader.error(), Condition::policy_violation);
    EXPECT_TRUE(reader.too_big());

    for (auto const& message :
         {stanza_of(301), "<a><b><c><d/></c></b></a>"s, "<a b='' c='' d='' e='' f=''/>"s}) {
        auto strict = opened(limits);
        EXPECT_EQ(strict.read(message), std::nullopt);
        EXPECT_EQ(strict.error(), Condition::policy_violation);
        EXPECT_EQ(strict.too_big(), message.size() > 300);
    }
}

TEST(WebsocketLimits, HoldForOpen) {
    FrameLimits const limits{.frame_bytes = 300};
    WebsocketReader reader(limits);
    EXPECT_EQ(reader.read("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='" +
                          std::string(300, 'x') + "'/>"),
              std::nullopt);
    EXPECT_TRUE(reader.too_big());
    // What is escaped takes more room in the header than in the message.
    WebsocketReader escaping(limits);
    EXPECT_EQ(escaping.read("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='" +
                            std::string(50, '>') + "'/>"),
              std::nullopt);
    EXPECT_TRUE(escaping.too_big());
}

}  // namespace
}  // namespace stanzagate::filters
