#include "filters/xml_escape.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/filters/framing.hpp"

namespace stanzagate::filters {
namespace {

using std::string_literals::operator""s;

TEST(XmlEscape, WhatMayNotStandAsItIs) {
    EXPECT_EQ(xml_escape(""), "");
    EXPECT_EQ(xml_escape("plain"), "plain");
    EXPECT_EQ(xml_escape("&<>'\""), "&amp;&lt;&gt;&apos;&quot;");
    EXPECT_EQ(xml_escape("\t\n\r "), "&#9;&#10;&#13; ");
    EXPECT_EQ(xml_escape("]]>"), "]]&gt;");
    EXPECT_EQ(xml_escape("&amp;"), "&amp;amp;");
    EXPECT_EQ(xml_escape("\xF0\x9F\x98\x80\x7F"), "\xF0\x9F\x98\x80\x7F");
    EXPECT_EQ(xml_escape("a\0\x01\x1F b"s), "a b");
}

TEST(XmlEscape, AppendsAnAttribute) {
    std::string xml = "<a";
    append_attribute(xml, "id", "x'y");
    append_attribute(xml, "xml:lang", "");
    EXPECT_EQ(xml, "<a id='x&apos;y' xml:lang=''");
}

// A parser gives back what was escaped.
TEST(XmlEscape, SurvivesAParser) {
    std::string text = "\t\n\r";
    for (char c = ' '; c < 0x7F; ++c) text += c;
    text += "\x7F\xC2\x80\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
    std::string xml(client_header);
    xml += "<iq";
    append_attribute(xml, "id", text);
    xml += "/>";
    auto const framing = frame_up({xml});
    ASSERT_EQ(framing.frames.size(), 2U);
    EXPECT_EQ(framing.frames[1].attributes.id, text);
}

TEST(InvalidUtf8, FindsTheFirstByte) {
    struct Case {
        std::string bytes;
        std::optional<std::size_t> bad;
    };
    for (auto const& [bytes, bad] : std::vector<Case>{
             {"", std::nullopt},
             {"ascii\0"s, std::nullopt},
             {"\xC2\x80\xDF\xBF", std::nullopt},
             {"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF", std::nullopt},
             {"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", std::nullopt},
             {"x\x80", 1},
             {"x\xBF", 1},
             {"\xC0\x80", 0},
             {"\xC1\xBF", 0},
             {"\xE0\x9F\xBF", 0},
             {"\xED\xA0\x80", 0},
             {"\xF0\x8F\xBF\xBF", 0},
             {"\xF4\x90\x80\x80", 0},
             {"\xF5\x80\x80\x80", 0},
             {"ab\xFF", 2},
             {"ab\xFE", 2},
             {"\xC3x", 0},
             {"\xE2\x82x", 0},
             {"\xF0\x9F\x98x", 0},
             {"\xC3\xC3\xA9", 0},
             // May still become a character.
             {"\xC3", std::nullopt},
             {"\xE2\x82", std::nullopt},
             {"\xF0\x9F\x98", std::nullopt},
             // No longer can.
             {"\xE0\x80", 0},
             {"\xED\xA0", 0},
             {"\xF4\x90", 0},
         })
        EXPECT_EQ(invalid_utf8(bytes), bad) << testing::PrintToString(bytes);
}

TEST(XmlSpace, FourCharacters) {
    int count = 0;
    for (int c = 0; c < 256; ++c)
        if (is_xml_space(static_cast<char>(c))) ++count;
    EXPECT_EQ(count, 4);
    EXPECT_FALSE(is_xml_space('\f'));
    EXPECT_FALSE(is_xml_space('\v'));
}

}  // namespace
}  // namespace stanzagate::filters
