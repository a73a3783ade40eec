#include "config/utf8.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace stanzagate::config {
namespace {

using State = Utf8Character::State;

TEST(Utf8, RightCharacters) {
    for (const std::string_view character :
         {"a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
          "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        for (const std::string_view behind : {"", "x", "\x80"}) {
            const std::string text = std::string(character) + std::string(behind);
            const auto first = first_character(text);
            EXPECT_EQ(first.bytes, character);
            EXPECT_TRUE(first.is_right());
        }
    }
}

TEST(Utf8, WrongOnes) {
    for (const std::string_view text :
         {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xE0\x80", "\xED\xA0\x80",
          "\xED\xA0", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF4\x90", "\xF5\x80\x80\x80",
          "\xFE", "\xFF", "\xC3x", "\xE2\x82x", "\xF0\x9F\x98x", "\xC3\xC3\xA9"}) {
        const auto first = first_character(text);
        EXPECT_EQ(first.bytes, text.substr(0, 1));
        EXPECT_EQ(first.state, State::wrong) << testing::PrintToString(text);
    }
}

TEST(Utf8, UnfinishedOnes) {
    for (const std::string_view text : {"\xC3", "\xE2", "\xE2\x82", "\xF0\x9F\x98"}) {
        const auto first = first_character(text);
        EXPECT_EQ(first.bytes, text.substr(0, 1));
        EXPECT_EQ(first.state, State::unfinished) << testing::PrintToString(text);
    }
}

TEST(Utf8, ControlCharacters) {
    for (const std::string_view text :
         {"\x01", "\n", "\x1F", "\x7F", "\xC2\x80", "\xC2\x9F", "\xE2\x80\xA8", "\xE2\x80\xA9"})
        EXPECT_TRUE(first_character(text).is_control()) << testing::PrintToString(text);
    for (const std::string_view text :
         {" ", "~", "\xC2\xA0", "\xC3\x80", "\xE2\x80\xA7", "\xE2\x80\xAA", "\xF0\x9F\x98\x80"})
        EXPECT_FALSE(first_character(text).is_control()) << testing::PrintToString(text);
}

TEST(Utf8, WhatIsNoneIsReplacedByteForByte) {
    EXPECT_EQ(as_utf8(""), "");
    EXPECT_EQ(as_utf8("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
    EXPECT_EQ(as_utf8("a\xFF\xE2\x82z"), "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
    EXPECT_EQ(as_utf8("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
}  // namespace stanzagate::config
