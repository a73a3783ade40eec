#include "filters/stanza_framer.hpp"

#include <gmock/gmock.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/filters/framing.hpp"

// Cutting good streams into frames: the right ones, in any split, as soon as they are whole.
// Limits and bad input have files of their own.
namespace stanzagate::filters {
namespace {

using std::string_literals::operator""s;

struct GoodStream {
    const char* name;
    std::string bytes;                  // behind the header
    std::vector<std::string> outlines;  // of the stanzas in it
};

std::ostream& operator<<(std::ostream& out, const GoodStream& stream) {
    return out << stream.name;
}

class GoodStreams : public testing::TestWithParam<GoodStream> {};

TEST_P(GoodStreams, KeepEveryByteInEverySplit) {
    std::string const bytes = std::string(client_header) + GetParam().bytes;
    auto const whole = frame_up({bytes});
    ASSERT_EQ(whole.error, std::nullopt) << summary(whole);
    EXPECT_EQ(whole.broken_promise, "");
    EXPECT_EQ(whole.joined() + whole.rest, bytes);

    auto const expected = summary(whole);
    for (auto const& pieces : every_split(bytes)) {
        auto const split = frame_up(pieces);
        ASSERT_EQ(summary(split), expected) << "first piece: " << pieces.front();
        ASSERT_EQ(split.joined() + split.rest, bytes);
    }
}

TEST_P(GoodStreams, HaveTheseElements) {
    auto const framing = frame_up({std::string(client_header) + GetParam().bytes});
    std::vector<std::string> outlines;
    for (auto const& frame : framing.frames)
        if (frame.kind == Frame::Kind::stanza) outlines.push_back(outline(frame.root));
    EXPECT_THAT(outlines, testing::ElementsAreArray(GetParam().outlines));
}

// Positions of an element, by what stands there.
void expect_positions(const Element& element, std::string_view raw) {
    ASSERT_LE(element.end, raw.size());
    auto const text = raw.substr(element.begin, element.end - element.begin);
    ASSERT_TRUE(text.starts_with('<') && text.ends_with('>')) << text;
    EXPECT_TRUE(written_name(text).ends_with(element.local)) << text;
    if (element.content_begin == element.end) {
        EXPECT_EQ(element.content_end, element.end) << text;
        EXPECT_TRUE(text.ends_with("/>")) << text;
    } else {
        EXPECT_EQ(raw[element.content_begin - 1], '>') << text;
        EXPECT_TRUE(raw.substr(element.content_end).starts_with("</")) << text;
    }
    auto last = element.content_begin;
    for (auto const& child : element.children) {
        EXPECT_GE(child.begin, last) << text;
        EXPECT_LE(child.end, element.content_end) << text;
        last = child.end;
        expect_positions(child, raw);
    }
}

TEST_P(GoodStreams, HavePositions) {
    auto const bytes = std::string(client_header) + GetParam().bytes;
    for (std::size_t const size : {bytes.size(), std::size_t{1}, std::size_t{5}}) {
        for (auto const& frame : frame_up(pieces_of(bytes, size)).frames) {
            if (frame.kind != Frame::Kind::stanza) continue;
            EXPECT_EQ(frame.root.begin, 0U);
            EXPECT_EQ(frame.root.end, frame.raw.size());
            expect_positions(frame.root, frame.raw);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Framer, GoodStreams,
    testing::ValuesIn(std::vector<GoodStream>{
        {"nothing", "", {}},
        {"empty_element", "<presence/>", {"client:presence"}},
        {"empty_element_with_space", "<presence />", {"client:presence"}},
        {"end_tag_with_space", "<presence\n></presence\t>", {"client:presence"}},
        {"line_breaks_in_tags",
         "<iq\r\n\ttype = 'get'\n id\n=\n\"1\"\n><a\n/>\n</iq\n>",
         {"client:iq{client:a}"}},
        {"children",
         "<iq type='get' id='1'><query xmlns='jabber:iq:register'><username/><x><y/></x></query>"
         "</iq>",
         {"client:iq{iq_register:query}"}},
        {"children_of_features",
         "<stream:features><a><b><c/></b><b/></a></stream:features>",
         {"streams:features{client:a{client:b client:b}}"}},
        {"prefixes_on_the_element",
         "<c:iq xmlns:c='jabber:client'><r:query xmlns:r='jabber:iq:register'/></c:iq>",
         {"client:iq{iq_register:query}"}},
        {"prefix_declared_above",
         "<iq xmlns:r='jabber:iq:register' xmlns:o='urn:o'><r:q><o:x/></r:q></iq>",
         {"client:iq{iq_register:q}"}},
        {"a_prefix_is_redeclared",
         "<iq xmlns:r='urn:o'><r:q xmlns:r='jabber:iq:register'/><r:q/></iq>",
         {"client:iq{iq_register:q other:q}"}},
        {"namespace_by_references",
         "<iq><q xmlns='jabber&#58;iq:&#x72;egister'/></iq>",
         {"client:iq{iq_register:q}"}},
        {"namespace_in_another_case",
         "<iq><q xmlns='jabber:iq:Register'/></iq>",
         {"client:iq{other:q}"}},
        {"namespace_with_a_space",
         "<iq><q xmlns='jabber:iq:register '/></iq>",
         {"client:iq{other:q}"}},
        {"no_namespace", "<iq xmlns=''><q/></iq>", {"none:iq{none:q}"}},
        {"both_quotes", "<a b='\"' c=\"'\"/><a b=\"x='y'\"/>", {"client:a", "client:a"}},
        {"greater_than_in_attributes", "<a b='>/>'><c d=\"/>\"/>></a>", {"client:a{client:c}"}},
        {"entities",
         "<a b='&lt;&gt;&amp;&apos;&quot;'>&lt;/a&gt;&amp;&#65;&#x1F600;</a>",
         {"client:a"}},
        {"cdata", "<a><![CDATA[</a></x>]] > ]]]]><b/><![CDATA[]]></a>", {"client:a{client:b}"}},
        {"cdata_with_an_end_tag", "<x><![CDATA[</x>]]></x><y/>", {"client:x", "client:y"}},
        {"astral",
         "<a b='\xF0\x9F\x98\x80'>\xF0\x90\x8D\x88\xE2\x82\xAC\xC3\xA9</a>",
         {"client:a"}},
        {"names_beyond_ascii", "<\xC3\xA9t\xC3\xA9 \xCE\xB1='1'/>", {"client:\xC3\xA9t\xC3\xA9"}},
        {"a_bom_inside_text", "<a>\xEF\xBB\xBF</a>", {"client:a"}},
        {"filler", " <a/>\n\t\r\n <b/> \n", {"client:a", "client:b"}},
        {"filler_of_one_byte", "\n", {}},
        {"much_filler", std::string(300, ' ') + "<a/>", {"client:a"}},
        {"an_element_like_the_root",
         "<stream/><a><stream/></a>",
         {"client:stream", "client:a{client:stream}"}},
        {"features",
         "<stream:features><limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>1&#48;<!"
         "[CDATA[0]]></max-bytes></limits></stream:features>",
         {"streams:features{limits:limits{limits:max-bytes}}"}},
        {"closed", "<a/></stream:stream>", {"client:a"}},
        {"closed_with_space", "<a/>\n</stream:stream \n>", {"client:a"}},
        {"unfinished", "<a/><b><c>half of it", {"client:a"}},
        {"unfinished_tag", "<a/><b c='>' d='", {"client:a"}},
        {"unfinished_character", "<a/><b>>\xF0\x9F", {"client:a"}},
    }),
    [](auto const& suite) { return suite.param.name; });

TEST(StanzaFramer, ReadsTheAttributesThatDecide) {
    auto const framing = frame_up(
        {std::string(client_header) +
         "<iq id='a&amp;&#10;\xC3\xA9' type='s&#101;t' to='x@y/z' from=\"f'\" xml:lang='de' "
         "version='9' x:id='no' xmlns:x='urn:x' x:type='no' ID='no' TYPE='no'/>"});
    ASSERT_EQ(framing.frames.size(), 2U);
    auto const& header = framing.frames[0].attributes;
    EXPECT_EQ(header.to, "example.org");
    EXPECT_EQ(header.version, "1.0");
    EXPECT_EQ(header.id, std::nullopt);
    auto const& iq = framing.frames[1].attributes;
    EXPECT_EQ(iq.id, "a&\n\xC3\xA9");
    EXPECT_EQ(iq.type, "set");
    EXPECT_EQ(iq.to, "x@y/z");
    EXPECT_EQ(iq.from, "f'");
    EXPECT_EQ(iq.lang, "de");
    EXPECT_EQ(iq.version, "9");
}

TEST(StanzaFramer, DoesNotMixTheAttributesOfNeighbours) {
    auto const framing =
        frame_up({std::string(client_header) + "<iq id='1' type='get'/><iq><x id='2'/></iq>"});
    ASSERT_EQ(framing.frames.size(), 3U);
    EXPECT_EQ(framing.frames[1].attributes.id, "1");
    EXPECT_EQ(framing.frames[1].attributes.to, std::nullopt);
    EXPECT_EQ(framing.frames[2].attributes.id, std::nullopt);
    EXPECT_EQ(framing.frames[2].attributes.type, std::nullopt);
}

TEST(StanzaFramer, KeepsTheTextsOfFeaturesOnly) {
    auto const text = "<x><y>10&#48;<![CDATA[0]]></y></x>"s;
    auto const framing = frame_up({std::string(client_header) + "<stream:features>" + text +
                                   "</stream:features><iq>" + text + "</iq>"});
    ASSERT_EQ(framing.frames.size(), 3U);
    auto const& feature = framing.frames[1].root.children.at(0);
    EXPECT_EQ(feature.children.at(0).text, "1000");
    EXPECT_EQ(feature.text, "");
    EXPECT_EQ(framing.frames[2].root.children.at(0).text, "");
}

struct HeaderCase {
    const char* name;
    std::string bytes;
};

std::ostream& operator<<(std::ostream& out, const HeaderCase& header) {
    return out << header.name;
}

class Headers : public testing::TestWithParam<HeaderCase> {};

TEST_P(Headers, AreOneFrameInEverySplit) {
    auto const bytes = GetParam().bytes + "<a/>";
    for (auto const& pieces : every_split(bytes)) {
        auto const framing = frame_up(pieces);
        ASSERT_EQ(framing.broken_promise, "");
        ASSERT_EQ(framing.frames.size(), 2U) << summary(framing);
        EXPECT_EQ(framing.frames[0].kind, Frame::Kind::stream_open);
        EXPECT_EQ(framing.frames[0].raw, GetParam().bytes);
        EXPECT_EQ(framing.frames[0].attributes.to, "example.org");
        EXPECT_TRUE(framing.frames[0].root.is(Namespace::streams, "stream"));
        EXPECT_EQ(framing.frames[1].raw, "<a/>");
    }
}

#define STREAMS_NS "http://etherx.jabber.org/streams"
INSTANTIATE_TEST_SUITE_P(
    Framer, Headers,
    testing::Values(
        HeaderCase{"plain", std::string(client_header)},
        HeaderCase{"no_declaration",
                   "<stream:stream xmlns:stream='" STREAMS_NS "' to='example.org'>"},
        HeaderCase{"space_before",
                   " \r\n\t<stream:stream xmlns:stream='" STREAMS_NS "' to='example.org'>"},
        HeaderCase{"space_behind_the_declaration",
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n "
                   "<stream:stream xmlns:stream='" STREAMS_NS "' to='example.org'>"},
        HeaderCase{"utf8_in_lower_case",
                   "<?xml version='1.0' encoding='utf-8'?><stream:stream "
                   "xmlns:stream='" STREAMS_NS "' to='example.org'>"},
        HeaderCase{"standalone",
                   "<?xml version='1.0' standalone='yes'?><stream:stream "
                   "xmlns:stream='" STREAMS_NS "' to='example.org'>"},
        HeaderCase{"default_namespace", "<stream xmlns='" STREAMS_NS "' to='example.org' >"},
        HeaderCase{"another_prefix", "<s:stream to='example.org' xmlns:s='" STREAMS_NS "'>"},
        HeaderCase{"greater_than_in_an_attribute",
                   "<s:stream a='>' to='example.org' xmlns:s='" STREAMS_NS "' b='/>'>"}),
    [](auto const& suite) { return suite.param.name; });
#undef STREAMS_NS

TEST(StanzaFramer, GivesNothingBehindTheClosingTag) {
    auto const framing = frame_up({std::string(client_header) + "</stream:stream>", "<a/>", " "});
    ASSERT_EQ(framing.frames.size(), 2U);
    EXPECT_EQ(framing.frames[1].kind, Frame::Kind::stream_close);
    EXPECT_EQ(framing.error, std::nullopt);
}

TEST(StanzaFramer, DoesNotCollectWhatComesBehindTheClosingTag) {
    StanzaFramer framer({});
    framer.feed(std::string(client_header) + "</stream:stream>");
    while (framer.next()) {
    }
    for (int i = 0; i < 100; ++i) {
        framer.feed(std::string(1000, ' '));
        EXPECT_EQ(framer.next(), nullptr);
    }
    EXPECT_LE(framer.rest().size(), 1000U);
}

TEST(StanzaFramer, ParsesNoFurtherThanTheFrameItGives) {
    StanzaFramer framer({});
    framer.feed(std::string(client_header) + "<a/><b/> raw relay bytes \xFF <not xml");
    ASSERT_NE(framer.next(), nullptr);
    EXPECT_EQ(framer.rest(), "<a/><b/> raw relay bytes \xFF <not xml");
    auto const* const a = framer.next();
    ASSERT_NE(a, nullptr);
    EXPECT_EQ(a->raw, "<a/>");
    EXPECT_EQ(framer.rest(), "<b/> raw relay bytes \xFF <not xml");
    ASSERT_NE(framer.next(), nullptr);
    EXPECT_EQ(framer.error(), std::nullopt);
    EXPECT_EQ(framer.rest(), " raw relay bytes \xFF <not xml");
}

// Bytes may be fed while frames still wait to be taken.
TEST(StanzaFramer, CanBeFedBeforeItIsEmptied) {
    StanzaFramer framer({});
    std::string const bytes = std::string(client_header) + "<a/> <b>x</b>\n<c/></stream:stream>";
    std::string joined;
    for (auto const piece : pieces_of(bytes, 3)) {
        framer.feed(piece);
        if (joined.size() % 2 == 0) continue;
        if (auto const* const frame = framer.next()) joined += frame->raw;
    }
    while (auto const* const frame = framer.next()) joined += frame->raw;
    EXPECT_EQ(framer.error(), std::nullopt);
    EXPECT_EQ(joined, bytes);
}

// Filler is handed out before the parser sees it, and neither it nor the parser's share piles up.
TEST(StanzaFramer, KeepalivesComeOutAtOnceForEver) {
    FrameLimits limits;
    limits.frame_bytes = 1024;
    StanzaFramer framer(limits);
    framer.feed(std::string(client_header) + "<a/>");
    while (framer.next()) {
    }
    for (int i = 0; i < 5000; ++i) {
        framer.feed(i % 3 == 0 ? "\n" : " ");
        auto const* const frame = framer.next();
        ASSERT_NE(frame, nullptr);
        ASSERT_EQ(frame->kind, Frame::Kind::filler);
        ASSERT_EQ(framer.rest(), "");
        ASSERT_EQ(framer.next(), nullptr);
        ASSERT_EQ(framer.error(), std::nullopt);
    }
    framer.feed("<a>" + std::string(1024 - 7, 'x') + "</a>");
    auto const* const frame = framer.next();
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame->raw.size(), 1024U);
}

TEST(StanzaFramer, WrittenName) {
    EXPECT_EQ(written_name("<stream:features>"), "stream:features");
    EXPECT_EQ(written_name("<features/>"), "features");
    EXPECT_EQ(written_name("<s:stream\nxmlns:s='x'>"), "s:stream");
    EXPECT_EQ(written_name(" \n<a\t/>"), "a");
}

}  // namespace
}  // namespace stanzagate::filters
