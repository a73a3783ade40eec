#include "filters/stream_cutter.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/filters/splits.hpp"

namespace stanzagate::filters {
namespace {

using Kind = StreamPiece::Kind;

constexpr std::string_view header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xml:lang='en' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='1' from='example.org' version='1.0'>";

std::vector<StreamPiece> cut(std::string_view bytes, const FrameLimits& limits = server_limits) {
    StreamCutter cutter(limits);
    return cutter.cut(bytes);
}

// The one element of that stream.
std::string element_of(std::string_view stream_header, std::string_view element) {
    auto const pieces = cut(std::string(stream_header) + std::string(element));
    if (pieces.size() != 2) return "not one element";
    return pieces[1].xml;
}

TEST(StreamCutter, PiecesComeWithTheirLastByteInEverySplit) {
    auto const whole =
        std::string(header) +
        "<stream:features><bind xmlns='urn:b'/></stream:features> <iq id='1'/>\n<a xmlns='x'>b</a>"
        "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>\n" +
        std::string(header) +
        "<iq><stream:b/></iq><stream:error><reset/></stream:error></stream:stream>x";
    auto const expected = cut(whole);
    std::vector<std::size_t> ends;
    for (std::size_t size = 1, seen = 0; size <= whole.size(); ++size) {
        auto const count = cut(std::string_view(whole).substr(0, size)).size();
        if (count > seen) ends.push_back(size);
        seen = count;
    }
    ASSERT_EQ(expected.size(), 9U);
    ASSERT_EQ(ends.size(), 9U);
    for (auto const& pieces : every_split(whole)) {
        StreamCutter cutter;
        std::size_t fed = 0;
        std::size_t got = 0;
        for (auto const bytes : pieces) {
            fed += bytes.size();
            for (auto const& piece : cutter.cut(bytes)) {
                ASSERT_LT(got, expected.size());
                ASSERT_EQ(piece.kind, expected[got].kind);
                ASSERT_EQ(piece.xml, expected[got].xml);
                ++got;
            }
            ASSERT_TRUE(got == ends.size() || ends[got] > fed) << "late: piece " << got;
        }
        ASSERT_EQ(got, expected.size());
    }
}

TEST(StreamCutter, WritesDeclarationsWhereTheyAreNeeded) {
    EXPECT_EQ(element_of(header, "<message xml:lang='de'/>"),
              "<message xmlns='jabber:client' xml:lang='de'/>");
    EXPECT_EQ(element_of(header, "<a xmlns='x'/>"), "<a xmlns='x'/>");
    EXPECT_EQ(element_of(header, "<stream:x/>"),
              "<stream:x xmlns:stream='http://etherx.jabber.org/streams'/>");
    EXPECT_EQ(element_of(header, "<stream:x><b/></stream:x>"),
              "<stream:x xmlns:stream='http://etherx.jabber.org/streams' "
              "xmlns='jabber:client'><b/></stream:x>");
    EXPECT_EQ(element_of("<stream xmlns='http://etherx.jabber.org/streams' xmlns:db='urn:db'>",
                         "<a db:b='c'/>"),
              "<a xmlns='http://etherx.jabber.org/streams' xmlns:db='urn:db' db:b='c'/>");
    EXPECT_EQ(element_of("<s:stream xmlns:s='http://etherx.jabber.org/streams'>", "<a/>"),
              "<a xmlns=''/>");
}

// RFC 6120 section 8.1.5: a stanza that has no language has that of the stream.
TEST(StreamCutter, WritesTheLanguageIntoStanzas) {
    EXPECT_EQ(element_of(header, "<message b='c'/>"),
              "<message xmlns='jabber:client' xml:lang='en' b='c'/>");
    EXPECT_EQ(element_of(header, "<iq xmlns='jabber:client'/>"),
              "<iq xml:lang='en' xmlns='jabber:client'/>");
    EXPECT_EQ(element_of("<s:stream xmlns:s='http://etherx.jabber.org/streams' "
                         "xmlns='jabber:client'>",
                         "<iq/>"),
              "<iq xmlns='jabber:client'/>");
}

TEST(StreamCutter, CutsStarttlsAndCompressionOutOfFeatures) {
    EXPECT_EQ(
        element_of(header,
                   "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><bind "
                   "xmlns='urn:b'/><compression xmlns='http://jabber.org/features/compress'>"
                   "<method>zlib</method></compression><register "
                   "xmlns='http://jabber.org/features/iq-register'/><limits "
                   "xmlns='urn:xmpp:stream-limits:0'><max-bytes>99999999</max-bytes></limits>"
                   "</stream:features>"),
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:b'/>"
        "<register xmlns='http://jabber.org/features/iq-register'/><limits "
        "xmlns='urn:xmpp:stream-limits:0'><max-bytes>99999999</max-bytes></limits>"
        "</stream:features>");
}

TEST(StreamCutter, ANewStreamFollowsSaslSuccessOnly) {
    auto const one = std::string(header) + "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
    auto const pieces = cut(one + " \n" + std::string(header) + "<iq/>");
    ASSERT_EQ(pieces.size(), 4U);
    EXPECT_EQ(pieces[1].kind, Kind::success);
    EXPECT_EQ(pieces[2].kind, Kind::header);
    EXPECT_EQ(pieces[2].attributes.id, "1");

    StreamCutter cutter;
    EXPECT_EQ(cutter.cut(std::string(header) + "<success xmlns='urn:xmpp:sasl:2'/><iq/>").size(),
              3U);
    EXPECT_FALSE(cutter.failed());
    EXPECT_TRUE(cutter.cut(header).empty());
    EXPECT_TRUE(cutter.failed());
}

TEST(StreamCutter, FailsOnWhatIsNoStream) {
    StreamCutter cutter;
    EXPECT_TRUE(cutter.cut("HTTP/1.1 400 Bad Request\r\n").empty());
    EXPECT_TRUE(cutter.failed());
    EXPECT_TRUE(cutter.cut(header).empty());

    StreamCutter small(FrameLimits{.frame_bytes = 300});
    EXPECT_EQ(small.cut(header).size(), 1U);
    EXPECT_TRUE(small.cut("<a>" + std::string(300, 'x')).empty());
    EXPECT_TRUE(small.failed());
}

}  // namespace
}  // namespace stanzagate::filters
