#include <expat.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

#include "tests/filters/framing.hpp"

// How often the framer calls the parser, and with how much: the linker puts the function below in
// the place of Expat's. A parser that is called often with an unfinished token scans all of it each
// time.
namespace {

unsigned calls = 0;

}  // namespace

// The names are the linker's (--wrap).
extern "C" XML_Status __real_XML_Parse(XML_Parser parser, const char* bytes, int size, int is_last);
extern "C" XML_Status __wrap_XML_Parse(XML_Parser parser, const char* bytes, int size,
                                       int is_last) {
    ++calls;
    return __real_XML_Parse(parser, bytes, size, is_last);
}

namespace stanzagate::filters {
namespace {

unsigned calls_for(std::string_view lead, const std::string& bytes) {
    StanzaFramer framer({});
    framer.feed(lead);
    while (framer.next()) {
    }
    calls = 0;
    for (auto const piece : pieces_of(bytes, 1)) {
        framer.feed(piece);
        while (framer.next()) {
        }
    }
    return calls;
}

struct Stubborn {
    const char* name;
    std::string_view lead;  // what the stream begins with
    std::string begin;
    std::string end;
};

std::ostream& operator<<(std::ostream& out, const Stubborn& stanza) {
    return out << stanza.name;
}

class FramerCost : public testing::TestWithParam<Stubborn> {};

TEST_P(FramerCost, DoesNotGrowWithWhatCannotEnd) {
    auto const& [name, lead, begin, end] = GetParam();
    EXPECT_LE(calls_for(lead, begin + std::string(10'000, '>') + end),
              UnfinishedToken::most_looks + 8);
}

INSTANTIATE_TEST_SUITE_P(
    ByteByByte, FramerCost,
    testing::Values(Stubborn{"in_an_attribute", client_header, "<a b='", "'/>"},
                    Stubborn{"in_an_attribute_without_an_end", client_header, "<a b='", ""},
                    Stubborn{"in_double_quotes", client_header, "<a><b c='\"' d=\"'", "\"/></a>"},
                    Stubborn{"in_a_comment", client_header, "<a><!-- ' ", "--></a>"},
                    Stubborn{"in_an_instruction", client_header, "<a><?x ' ", "?></a>"},
                    Stubborn{"in_a_doctype", "", "<!DOCTYPE a SYSTEM '", "'>"}),
    [](auto const& suite) { return suite.param.name; });

TEST(FramerCost, OneCallForAStanzaInOnePiece) {
    std::string const stanza = "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>";
    StanzaFramer framer({});
    framer.feed(std::string(client_header) + stanza);
    EXPECT_NE(framer.next(), nullptr);
    calls = 0;
    framer.feed(stanza + stanza);
    EXPECT_NE(framer.next(), nullptr);
    EXPECT_NE(framer.next(), nullptr);
    EXPECT_NE(framer.next(), nullptr);
    EXPECT_EQ(framer.next(), nullptr);
    EXPECT_EQ(calls, 1U);
}

}  // namespace
}  // namespace stanzagate::filters
