#include "filters/websocket_writer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/filters/canonical.hpp"
#include "tests/filters/splits.hpp"

// What a WebSocket client gets. Tests are named by sections of RFC 7395.
namespace stanzagate::filters {
namespace {

constexpr std::string_view header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xml:lang='en' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='1' from='example.org' version='1.0'>";
constexpr std::string_view open_message =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='1' version='1.0' "
    "xml:lang='en'/>";
constexpr std::string_view close_message = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

std::vector<std::string> texts(const std::vector<WebsocketMessage>& messages) {
    std::vector<std::string> all;
    for (auto const& message : messages) all.push_back(message.text);
    return all;
}

std::vector<std::string> written(std::string_view bytes) {
    WebsocketWriter writer;
    return texts(writer.write(bytes));
}

using Texts = std::vector<std::string>;

TEST(RFC7395_3_4, TheHeaderBecomesOpen) {
    EXPECT_EQ(written(header), Texts{std::string(open_message)});
    EXPECT_EQ(
        written("<s:stream xmlns:s='http://etherx.jabber.org/streams' to=\"&#39;&lt;\" id=''>"),
        Texts{"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='&apos;&lt;' id=''/>"});
}

TEST(RFC7395_3_3_3, EachElementIsAMessageThatStandsAlone) {
    auto const all = std::string(header) +
                     " <stream:features><a xmlns='urn:a'/></stream:features>\n<iq/><message/>";
    for (auto const& pieces : every_split(all)) {
        WebsocketWriter writer;
        Texts got;
        for (auto const piece : pieces)
            for (auto const& message : writer.write(piece)) got.push_back(message.text);
        ASSERT_EQ(got.size(), 4U);
        for (auto const& text : got) {
            ASSERT_EQ(text.front(), '<');
            ASSERT_NE(canonical(text), "") << text;
        }
    }
}

TEST(RFC7395_3_3_3, MessagesDeclareTheirNamespacesAndLanguage) {
    auto const got = written(std::string(header) + "<stream:features/><iq id='1'/>");
    ASSERT_EQ(got.size(), 3U);
    EXPECT_EQ(got[1], "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>");
    EXPECT_EQ(got[2], "<iq xmlns='jabber:client' xml:lang='en' id='1'/>");
}

TEST(RFC7395_3_5, AStreamErrorIsAMessageOfItsOwn) {
    auto const got =
        written(std::string(header) + stream_error(StreamErrorCondition::host_unknown));
    EXPECT_EQ(got, (Texts{std::string(open_message),
                          "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>"
                          "<host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                          "</stream:error>",
                          std::string(close_message)}));
}

TEST(RFC7395_3_5, AnErrorOfTheGatesOwnComesBehindOpen) {
    WebsocketWriter writer;
    auto const early = texts(writer.fail(StreamErrorCondition::policy_violation, stanza_too_big,
                                         {"7", "b.example", ""}));
    ASSERT_EQ(early.size(), 3U);
    EXPECT_EQ(early[0],
              "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='b.example' id='7' "
              "version='1.0' xml:lang='en'/>");
    EXPECT_NE(early[1].find("policy-violation"), std::string::npos);
    EXPECT_NE(early[1].find("stanza-too-big"), std::string::npos);
    EXPECT_EQ(early[2], close_message);
    EXPECT_TRUE(writer.fail(StreamErrorCondition::system_shutdown, {}, {}).empty());
}

TEST(RFC7395_3_5, AnErrorInAnOpenStreamComesBetweenMessages) {
    WebsocketWriter writer;
    EXPECT_EQ(writer.write(std::string(header) + "<iq>").size(), 1U);
    auto const late = texts(writer.fail(StreamErrorCondition::system_shutdown, {}, {"7", "", ""}));
    ASSERT_EQ(late.size(), 2U);
    EXPECT_NE(late[0].find("system-shutdown"), std::string::npos);
    EXPECT_NE(canonical(late[0]), "");
    EXPECT_EQ(late[1], close_message);
}

// RFC 6120 section 4.9.1.1: an error is the end of its stream.
TEST(RFC7395_3_5, OneErrorIsEnough) {
    WebsocketWriter writer;
    writer.write(std::string(header) +
                 "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                 "</stream:error>");
    EXPECT_TRUE(writer.fail(StreamErrorCondition::system_shutdown, {}, {"7", "", ""}).empty());
}

TEST(RFC7395_3_6, TheClosingTagBecomesClose) {
    auto const got = written(std::string(header) + "</stream:stream ><iq/>");
    EXPECT_EQ(got, (Texts{std::string(open_message), std::string(close_message)}));
    WebsocketWriter writer;
    writer.write(std::string(header) + "</stream:stream>");
    EXPECT_TRUE(writer.fail(StreamErrorCondition::system_shutdown, {}, {}).empty());
}

TEST(RFC7395_3_7, SuccessIsTheWordForARestart) {
    WebsocketWriter writer;
    auto const messages =
        writer.write(std::string(header) + "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>" +
                     std::string(header) + "<stream:features/>");
    ASSERT_EQ(messages.size(), 4U);
    EXPECT_EQ(messages[1].kind, StreamPiece::Kind::success);
    EXPECT_EQ(messages[2].text, open_message);
}

TEST(RFC7395_3_8, WhiteSpaceIsNoMessage) {
    EXPECT_EQ(written(std::string(header) + "  \n\t ").size(), 1U);
}

TEST(RFC7395_3_9, StarttlsIsNotOffered) {
    auto const got = written(std::string(header) +
                             "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
                             "</stream:features>");
    ASSERT_EQ(got.size(), 2U);
    EXPECT_EQ(
        got[1],
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'></stream:features>");
}

}  // namespace
}  // namespace stanzagate::filters
