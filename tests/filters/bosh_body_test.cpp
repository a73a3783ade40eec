#include "filters/bosh_body.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "tests/filters/canonical.hpp"

// Reading and writing <body/>. Tests are named by sections of XEP-0124 and XEP-0206.
namespace stanzagate::filters {
namespace {

using std::string_literals::operator""s;

constexpr FrameLimits limits{.frame_bytes = 2000, .depth = 10, .attributes = 20};

std::string body_with(const std::string& payload, const std::string& attributes = "") {
    return "<body xmlns='http://jabber.org/protocol/httpbind' rid='1'" + attributes + ">" +
           payload + "</body>";
}

std::string payload_of(const std::string& body) {
    auto const read = read_body(body, limits);
    return read ? read->payload : "refused";
}

TEST(XEP0124_7_1, AttributesOfASessionRequest) {
    auto const body = read_body(
        "<?xml version='1.0'?>\n<body content='text/html' from='ann@example.org' hold='1' "
        "rid='1573741820' to='example.org' route='xmpp:example.org:9999' ver='1.10' wait='60' "
        "ack='1' xml:lang='en' newkey='ca39' x:version='1.0' xmlns:x='urn:xmpp:xbosh' "
        "xmlns='http://jabber.org/protocol/httpbind'/>",
        limits);
    ASSERT_TRUE(body);
    EXPECT_EQ(body->content, "text/html");
    EXPECT_EQ(body->from, "ann@example.org");
    EXPECT_EQ(body->hold, 1U);
    EXPECT_EQ(body->rid, 1573741820U);
    EXPECT_EQ(body->to, "example.org");
    EXPECT_EQ(body->ver, (BoshVersion{1, 10}));
    EXPECT_EQ(body->wait, 60U);
    EXPECT_EQ(body->ack, 1U);
    EXPECT_EQ(body->lang, "en");
    EXPECT_EQ(body->newkey, "ca39");
    EXPECT_EQ(body->xmpp_version, "1.0");
    EXPECT_EQ(body->sid, std::nullopt);
    EXPECT_EQ(body->payload, "");
    EXPECT_FALSE(body->restart);
    EXPECT_FALSE(body->terminate);
}

TEST(XEP0124_6, AttributesOfLaterRequests) {
    auto const body = read_body(
        "\r\n<b:body rid='2' sid='&#65;&amp;' pause='60' key='k' stream='s' type='terminate' "
        "xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='1' "
        "xmlns:b='http://jabber.org/protocol/httpbind' "
        "xmlns:y='urn:y' y:sid='other' y:restart='false' unknown='x'></b:body>\n",
        limits);
    ASSERT_TRUE(body);
    EXPECT_EQ(body->sid, "A&");
    EXPECT_EQ(body->pause, 60U);
    EXPECT_EQ(body->key, "k");
    EXPECT_EQ(body->stream, "s");
    EXPECT_TRUE(body->terminate);
    EXPECT_TRUE(body->restart);
}

TEST(XEP0206_5, RestartIsABooleanInItsNamespace) {
    auto const restart = [](const std::string& attributes) {
        return read_body(body_with("", attributes), limits)->restart;
    };
    EXPECT_TRUE(restart(" xmlns:p='urn:xmpp:xbosh' p:restart='true'"));
    EXPECT_FALSE(restart(" xmlns:p='urn:xmpp:xbosh' p:restart='false'"));
    EXPECT_FALSE(restart(" restart='true'"));
    EXPECT_FALSE(restart(" xmlns:xmpp='urn:other' xmpp:restart='true'"));
}

TEST(XEP0124_6, PayloadsPassAsTheyAre) {
    auto const message =
        "<message xmlns='jabber:client' to=\"a\"><body>&lt;&#65;<![CDATA[</body>]]>"
        "</body></message >"s;
    EXPECT_EQ(payload_of(body_with(message)), message);
    EXPECT_EQ(payload_of(body_with("\n  " + message + " \t" + message + "\r\n")),
              message + message);
    EXPECT_EQ(payload_of(body_with("")), "");
    EXPECT_EQ(payload_of(body_with(" \n")), "");
}

// XEP-0206 section 2: what has BOSH's own namespace, because nothing else was said, means
// jabber:client; and in a stream, it is.
TEST(XEP0206_2, PayloadsWithoutNamespaceAreTheStreams) {
    EXPECT_EQ(payload_of(body_with("<iq><query xmlns='q'/></iq>")), "<iq><query xmlns='q'/></iq>");
    EXPECT_EQ(payload_of("<b:body xmlns:b='http://jabber.org/protocol/httpbind'><iq/></b:body>"),
              "<iq/>");
}

TEST(XEP0124_6, DeclarationsOnBodyAreCarriedAlong) {
    EXPECT_EQ(payload_of(body_with("<p:a/><b xmlns='urn:b' p:c=''/><d xmlns='urn:d'/>",
                                   " xmlns:p=\"urn:p&amp;'\"")),
              "<p:a xmlns:p=\"urn:p&amp;'\"/><b xmlns:p=\"urn:p&amp;'\" xmlns='urn:b' p:c=''/>"
              "<d xmlns='urn:d'/>");
    EXPECT_EQ(payload_of("<b:body xmlns:b='http://jabber.org/protocol/httpbind' xmlns='urn:d'>"
                         "<a/><b:c/></b:body>"),
              "<a xmlns='urn:d'/><b:c xmlns:b='http://jabber.org/protocol/httpbind'/>");
}

// Each of the elements would get a copy.
TEST(XEP0124_6, DeclarationsAreCarriedAlongWithinBounds) {
    auto const body = [](std::size_t declared, std::size_t elements) {
        std::string text = "<b:body xmlns:b='http://jabber.org/protocol/httpbind' xmlns='";
        text.append(declared, 'u').append("'>");
        for (std::size_t i = 0; i < elements; ++i) text += "<a/>";
        return text + "</b:body>";
    };
    // With the name of the attribute and the quotes, 64 bytes in each element.
    EXPECT_EQ(payload_of(body(55, 256)).size(), 256 * (64 + 4));
    EXPECT_EQ(read_body(body(55, 257), limits), std::nullopt);
    EXPECT_EQ(read_body(body(30'000, 8000), limits), std::nullopt);
}

struct BadBody {
    const char* name;
    std::string bytes;
};

std::ostream& operator<<(std::ostream& out, const BadBody& body) {
    return out << body.name;
}

class BadBodies : public testing::TestWithParam<BadBody> {};

TEST_P(BadBodies, AreRefused) {
    EXPECT_EQ(read_body(GetParam().bytes, limits), std::nullopt);
}

std::string tag(const std::string& attributes) {
    return "<body xmlns='http://jabber.org/protocol/httpbind' " + attributes + "/>";
}

INSTANTIATE_TEST_SUITE_P(
    XEP0124_6, BadBodies,
    testing::Values(
        BadBody{"nothing", ""}, BadBody{"space", " \n"}, BadBody{"text", "body"},
        BadBody{"another_namespace", "<body xmlns='urn:x' rid='1'/>"},
        BadBody{"no_namespace", "<body rid='1'/>"},
        BadBody{"another_name", "<Body xmlns='http://jabber.org/protocol/httpbind' rid='1'/>"},
        BadBody{"two_bodies", tag("rid='1'") + tag("rid='2'")},
        BadBody{"text_behind", tag("rid='1'") + "x"}, BadBody{"text_inside", body_with("x")},
        BadBody{"text_between", body_with("<a/>x<b/>")},
        BadBody{"reference_inside", body_with("&#32;")},
        BadBody{"cdata_inside", body_with("<![CDATA[ ]]>")},
        BadBody{"comment", body_with("<!-- x -->")},
        BadBody{"comment_before", "<!-- x -->" + tag("rid='1'")},
        BadBody{"comment_in_a_payload", body_with("<a><!-- x --></a>")},
        BadBody{"instruction", body_with("<?x?>")},
        BadBody{"doctype", "<!DOCTYPE body>" + tag("rid='1'")},
        BadBody{"entity", body_with("<a>&nbsp;</a>")}, BadBody{"partial_element", body_with("<a>")},
        BadBody{"partial_body", "<body xmlns='http://jabber.org/protocol/httpbind'><a/>"},
        BadBody{"end_tag_of_a_stream", body_with("</stream:stream>")},
        BadBody{"closed_early", body_with("</body><a/><body>")},
        BadBody{"stream_header",
                body_with("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>")},
        BadBody{"whole_stream",
                body_with("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>")},
        BadBody{"whole_stream_by_declaration",
                body_with("<p:stream/>", " xmlns:p='http://etherx.jabber.org/streams'")},
        BadBody{"unbound_prefix", body_with("<stream:features/>")},
        BadBody{"bad_utf8", body_with("<a>\xC0\xAF</a>")}, BadBody{"nul", body_with("\0"s)},
        BadBody{"utf16", "\xFE\xFF\0<\0b"s}, BadBody{"utf8_bom", "\xEF\xBB\xBF" + tag("rid='1'")},
        BadBody{"rid_zero", tag("rid='0'")}, BadBody{"rid_negative", tag("rid='-1'")},
        BadBody{"rid_with_a_plus", tag("rid='+1'")}, BadBody{"rid_text", tag("rid='1x'")},
        BadBody{"rid_empty", tag("rid=''")}, BadBody{"rid_space", tag("rid=' 1'")},
        BadBody{"rid_above_2_53", tag("rid='9007199254740992'")},
        BadBody{"rid_above_2_64", tag("rid='18446744073709551617'")},
        BadBody{"wait", tag("rid='1' wait='x'")}, BadBody{"hold", tag("rid='1' hold='-1'")},
        BadBody{"pause", tag("rid='1' pause='1.5'")}, BadBody{"ack", tag("rid='1' ack='x'")},
        BadBody{"ver", tag("rid='1' ver='one'")},
        BadBody{"ver_without_dot", tag("rid='1' ver='1'")},
        BadBody{"too_big", body_with("<a>" + std::string(2000, 'x') + "</a>")},
        BadBody{"too_deep",
                body_with("<a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a>"
                          "</a>")},
        BadBody{
            "too_many_attributes",
            body_with("<a b1='' b2='' b3='' b4='' b5='' b6='' b7='' b8='' b9='' b10='' b11='' "
                      "b12='' b13='' b14='' b15='' b16='' b17='' b18='' b19='' b20='' b21=''/>")}),
    [](auto const& suite) { return suite.param.name; });

TEST(XEP0124_14_1, TheHighestRid) {
    EXPECT_EQ(read_body(tag("rid='9007199254740991'"), limits)->rid, most_rid);
}

TEST(SidOf, LooksAndDoesNotJudge) {
    EXPECT_EQ(sid_of(" <body rid='1' sid='a&amp;b'>"), "a&b");
    EXPECT_EQ(sid_of("<?xml version='1.0'?><body sid=\"x\"/>"), "x");
    for (auto const* const bytes : {"", "<", "<?", "<?xml", "body", "<body", "<body sid=",
                                    "<body sid='x", "<body rid='1'/>", "<body>sid='x'"})
        EXPECT_EQ(sid_of(bytes), std::nullopt) << bytes;
    EXPECT_EQ(sid_of("<body a='" + std::string(5000, 'x') + "' sid='y'/>"), std::nullopt);
}

TEST(WriteBody, DeclaresWhatItUses) {
    EXPECT_EQ(write_body({}), "<body xmlns='http://jabber.org/protocol/httpbind'/>");
    EXPECT_EQ(write_body({{"sid", "'<&"}, {"xmpp:version", "1.0"}}, "<a xmlns='x'/>", true),
              "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' "
              "xmlns:stream='http://etherx.jabber.org/streams' sid='&apos;&lt;&amp;' "
              "xmpp:version='1.0'><a xmlns='x'/></body>");
    EXPECT_NE(canonical(write_body({{"xmpp:version", "1.0"}}, "<a xmlns=''/>")), "");
}

}  // namespace
}  // namespace stanzagate::filters
