#include "filters/xml_tags.hpp"

#include <gtest/gtest.h>

#include <ostream>

#include "tests/filters/canonical.hpp"

namespace stanzagate::filters {
namespace {

TEST(WrittenAttributes, AsTheyStand) {
    auto const attributes = written_attributes("<a:b c = 'd>\"' e:f=\"/>'\"\n\t xmlns=''/>");
    ASSERT_EQ(attributes.size(), 3U);
    EXPECT_EQ(attributes[0].name, "c");
    EXPECT_EQ(attributes[0].quoted, "'d>\"'");
    EXPECT_EQ(attributes[1].name, "e:f");
    EXPECT_EQ(attributes[1].quoted, "\"/>'\"");
    EXPECT_EQ(attributes[2].name, "xmlns");
    EXPECT_EQ(attributes[2].quoted, "''");
    EXPECT_TRUE(written_attributes("<a>").empty());
    EXPECT_TRUE(written_attributes("<a/>").empty());
}

TEST(WrittenAttributes, OfWhatNobodyChecked) {
    for (auto const* const bytes : {"", "<", "<a", "<a ", "<a b", "<a b=", "<a b='",
                                    "<a =", "<a b c='d", "<a b=c d='e'", "x", "= = =", "<a '"})
        EXPECT_TRUE(written_attributes(bytes).empty()) << bytes;
    EXPECT_EQ(written_attributes("<a b='c' d=").size(), 1U);
}

TEST(AttributeValue, IsWhatAParserSays) {
    for (std::string const quoted : {"''", "'a'", "\"it's\"", "'&lt;&gt;&amp;&apos;&quot;'",
                                     "'&#65;&#x42;&#x1F600;&#233;&#x20AC;'", "'a\tb\nc\r\nd\re'",
                                     "'&#9;&#10;&#13;'", "'&amp;lt;'", "'x&#38;y'"}) {
        auto const said = "<a b=[" + attribute_value(quoted) + "]></>";
        EXPECT_EQ(said, canonical("<a b=" + quoted + "/>")) << quoted;
    }
}

struct Prefixes {
    const char* name;
    const char* element;
    std::vector<std::string_view> foreign;
};

std::ostream& operator<<(std::ostream& out, const Prefixes& prefixes) {
    return out << prefixes.name;
}

class ForeignPrefixes : public testing::TestWithParam<Prefixes> {};

TEST_P(ForeignPrefixes, AreThoseNotDeclaredInside) {
    EXPECT_EQ(foreign_prefixes(GetParam().element), GetParam().foreign);
}

INSTANTIATE_TEST_SUITE_P(
    All, ForeignPrefixes,
    testing::Values(Prefixes{"default_namespace", "<a/>", {""}},
                    Prefixes{"declared_default", "<a xmlns='urn:a'><b/></a>", {}},
                    Prefixes{"undeclared_default", "<a xmlns=''><b/></a>", {}},
                    Prefixes{"prefix", "<p:a/>", {"p"}},
                    Prefixes{"default_inside", "<p:a xmlns:p='urn:p'><b/></p:a>", {""}},
                    Prefixes{"out_of_scope", "<a xmlns='x'><b xmlns:p='y'/><p:c/></a>", {"p"}},
                    Prefixes{"out_of_scope_behind_an_end_tag",
                             "<a xmlns='x'><b xmlns:p='y'><p:d/></b ><p:c/></a>",
                             {"p"}},
                    Prefixes{"attribute", "<a xmlns='x' p:b=''/>", {"p"}},
                    Prefixes{
                        "declared_behind_its_use", "<p:a q:b='' xmlns:q='q' xmlns:p='p'/>", {}},
                    Prefixes{"xml_is_never_foreign", "<a xmlns='x' xml:lang='en'/>", {}},
                    Prefixes{"attributes_are_not_in_the_default", "<p:a xmlns:p='p' b='c'/>", {}},
                    Prefixes{"each_once", "<p:a><p:b/><c/><q:d/><c/></p:a>", {"p", "", "q"}},
                    Prefixes{"text_is_no_tag", "<a xmlns='x'>p:b='c' &lt;p:c> \"</a>", {}},
                    Prefixes{"cdata_is_no_tag", "<a xmlns='x'><![CDATA[<p:b/>]]></a>", {}},
                    Prefixes{"value_is_no_tag", "<a xmlns='x' b='>p:c' c=\">p:d/>\"/>", {}},
                    Prefixes{"declared_twice", "<a xmlns='x'><b xmlns='y'/><c/></a>", {}}),
    [](auto const& suite) { return suite.param.name; });

TEST(Standalone, DeclaresWhatIsMissing) {
    auto const scope = declarations_in("<s:stream xmlns:s='urn:s' xmlns=\"urn:d&amp;'\" id='1'>");
    EXPECT_EQ(standalone("<a b='c'>d</a>", scope), "<a xmlns=\"urn:d&amp;'\" b='c'>d</a>");
    EXPECT_EQ(standalone("<s:a/>", scope, " x='y'"), "<s:a xmlns:s='urn:s' x='y'/>");
    EXPECT_EQ(standalone("<a xmlns='e'><s:b/></a>", scope),
              "<a xmlns:s='urn:s' xmlns='e'><s:b/></a>");
    EXPECT_EQ(standalone("<a xmlns='e'/>", scope), "<a xmlns='e'/>");
}

}  // namespace
}  // namespace stanzagate::filters
