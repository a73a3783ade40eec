// What servers that do not read XML as it is written down could take a client's stream for.
#include "filters/lax_reading.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "filters/stanza_framer.hpp"

namespace stanzagate::filters {
namespace {

constexpr std::string_view header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'";
constexpr std::string_view request =
    "<iq type='set' id='1'><query xmlns='jabber:iq:register'/></iq>";

std::string request_in(std::string_view element) {
    return "<" + std::string(element) + ">" + std::string(request) + "</" + std::string(element) +
           ">";
}

// For each first-level element whether it is suspected.
std::vector<bool> suspected(std::string_view elements, std::string_view more_header = {}) {
    StanzaFramer framer({.attributes = 100});
    framer.feed(std::string(header) + std::string(more_header) + '>' + std::string(elements));
    LaxReading reading;
    std::vector<bool> found;
    while (auto const* const frame = framer.next()) {
        if (frame->kind == Frame::Kind::stream_open) reading.note(*frame);
        if (frame->kind == Frame::Kind::stanza) found.push_back(reading.may_see_another(*frame));
    }
    EXPECT_FALSE(framer.error());
    return found;
}

using Found = std::vector<bool>;

TEST(LaxReading, LeavesOrdinaryElementsAlone) {
    EXPECT_EQ(suspected(request), Found{false});
    EXPECT_EQ(suspected("<message><body>a > \"b\" 'c'</body></message>"), Found{false});
    EXPECT_EQ(suspected("<message><![CDATA[ <a> ]]></message><message a='>\"'/>"),
              (Found{false, false}));
    EXPECT_EQ(suspected("<iq type='get'><s:a xmlns:s='urn:s'/></iq>"), Found{false});
}

// A message may hold any element (a forwarded one, say).
TEST(LaxReading, LeavesAnIqInAnElementAloneByItself) {
    EXPECT_EQ(suspected(request_in("message")), Found{false});
    EXPECT_EQ(suspected("<message a='>'><iq><ping xmlns='urn:xmpp:ping'/></iq></message>"),
              Found{false});
    EXPECT_EQ(suspected("<message a='>'><iq><a xmlns='jabber:iq:reg&#105;ster'/></iq></message>"),
              Found{true});
}

// Openfire takes a double quote inside single ones for the beginning of a value.
TEST(LaxReading, QuotesInAValueLeadAstray) {
    for (std::string const value : {"'\"'", "\"'\"", "'>'"}) {
        EXPECT_EQ(suspected("<presence a=" + value + "/>" + request_in("message")),
                  (Found{false, true}))
            << value;
        EXPECT_EQ(suspected(request_in("message"), " a=" + value), Found{true}) << value;
        EXPECT_EQ(suspected(request_in("message") + "<message a=" + value + "/>"),
                  (Found{false, false}))
            << value;
    }
    EXPECT_EQ(suspected("<presence a='&quot;&apos;&gt;'/>" + request_in("message")),
              (Found{false, false}));
}

// Tigase takes the first '>' behind "<![CDATA[" for its end.
TEST(LaxReading, CdataLeadsAstray) {
    std::string const child = "<query xmlns='jabber:iq:reg&#105;ster'/>";
    for (std::string const start : {"<iq>", "<c:iq type='set'>", "<a/><iq/>"}) {
        EXPECT_EQ(suspected("<message><![CDATA[>" + start + child + "]]></message>"), Found{true})
            << start;
        EXPECT_EQ(suspected("<message><![CDATA[>" + start + "]]></message>"), Found{false});
        EXPECT_EQ(suspected("<message><![CDATA[>" + start + "<r:query/>]]></message>",
                            " xmlns:r='jabber:iq:register'"),
                  Found{true});
    }
    for (std::string const text : {"iq", "<iqs/>", "< iq", "</iq>", "<a:b:iqs"})
        EXPECT_EQ(suspected("<message><![CDATA[" + text + "]]></message>"), Found{false}) << text;
    EXPECT_EQ(suspected("<message><![CDATA[]]></message>" + request_in("message")),
              (Found{false, true}));
}

// Tigase never forgets what a prefix meant.
TEST(LaxReading, PrefixesWithTwoMeanings) {
    std::string const other = "<message><a xmlns:r='jabber:iq:register'/></message>";
    std::string const child = "<iq type='set' id='1'><r:query/></iq>";
    EXPECT_EQ(suspected(child, " xmlns:r='urn:x'"), Found{false});
    EXPECT_EQ(suspected(other + child, " xmlns:r='urn:x'"), (Found{false, true}));
    EXPECT_EQ(suspected(child + other, " xmlns:r='urn:x'"), (Found{false, false}));
    EXPECT_EQ(suspected("<message xmlns:r='urn:x'/>" + child, " xmlns:r='urn:x'"),
              (Found{false, false}));
    EXPECT_EQ(suspected("<iq xmlns:r='urn:x'><a xmlns:r='jabber:iq:register'/><r:query/></iq>"),
              Found{true});
}

// What an element declares itself is clear to everybody.
TEST(LaxReading, PrefixesThatAreDeclaredAnew) {
    std::string const other = "<message xmlns:r='jabber:iq:register'/>";
    for (std::string const own : {"<iq type='set' id='1'><r:query xmlns:r='urn:x'/></iq>",
                                  "<iq xmlns:r='urn:x' type='set' id='1'><r:query/></iq>"})
        EXPECT_EQ(suspected(other + own, " xmlns:r='urn:x'"), (Found{false, false})) << own;
}

TEST(LaxReading, PrefixesWithoutNumberHaveNoMeaning) {
    std::string declarations;
    for (int i = 0; i < 64; ++i) declarations += " xmlns:p" + std::to_string(i) + "='urn:p'";
    std::string const child = "<iq type='set' id='1'><r:query/></iq>";
    EXPECT_EQ(suspected("<message" + declarations + "/>" + child, " xmlns:r='urn:x'"),
              (Found{false, true}));
    EXPECT_EQ(suspected("<message" + declarations + "/>" + std::string(request)),
              (Found{false, false}));
}

}  // namespace
}  // namespace stanzagate::filters
