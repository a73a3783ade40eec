#include "config/diagnostics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

namespace stanzagate::config {
namespace {

using testing::ElementsAre;

std::vector<std::string> lines(const std::vector<Diagnostic>& diagnostics) {
    std::vector<std::string> result;
    result.reserve(diagnostics.size());
    for (const Diagnostic& diagnostic : diagnostics) result.push_back(diagnostic.to_string());
    return result;
}

TEST(Diagnostics, AreWrittenInOneForm) {
    const Diagnostic error{Severity::error, {"a.toml", 2, 15}, "limits: wrong"};
    EXPECT_EQ(error.to_string(), "a.toml:2:15: error: limits: wrong");
    const Diagnostic warning{Severity::warning, {"a.toml", 0, 0}, "odd"};
    EXPECT_EQ(warning.to_string(), "a.toml:1:1: warning: odd");
}

TEST(Diagnostics, CountErrorsAndNotWarnings) {
    Diagnostics diagnostics;
    EXPECT_FALSE(diagnostics.has_errors());
    diagnostics.warning({"a", 1, 1}, "odd");
    EXPECT_FALSE(diagnostics.has_errors());
    diagnostics.error({"a", 1, 1}, "wrong");
    EXPECT_TRUE(diagnostics.has_errors());
    EXPECT_EQ(diagnostics.all().size(), 2U);
}

TEST(Diagnostics, AreSortedByPlaceAndStayInOrderWithinOne) {
    Diagnostics diagnostics;
    diagnostics.error({"b", 1, 1}, "1");
    diagnostics.error({"a", 10, 2}, "2");
    diagnostics.warning({"a", 10, 1}, "3");
    diagnostics.error({"a", 9, 40}, "z");
    diagnostics.add({Severity::warning, {"a", 9, 40}, "a"});
    diagnostics.error({"a", 0, 0}, "6");
    EXPECT_THAT(lines(diagnostics.sorted()),
                ElementsAre("a:1:1: error: 6", "a:9:40: error: z", "a:9:40: warning: a",
                            "a:10:1: warning: 3", "a:10:2: error: 2", "b:1:1: error: 1"));
}

TEST(Diagnostics, QuoteOnOneLine) {
    EXPECT_EQ(in_quotes("plain"), "\"plain\"");
    EXPECT_EQ(in_quotes("a\nb\tc\r\x01\x7f"), "\"a\\nb\\tc\\x0d\\x01\\x7f\"");
    EXPECT_EQ(in_quotes("m\xc3\xbcnchen"), "\"m\xc3\xbcnchen\"");
}

// A list file may be anything: what it holds must command no terminal and break no log.
TEST(Diagnostics, QuoteWhatIsNoTextByItsBytes) {
    EXPECT_EQ(one_line("\xff\xfe"
                       "10.0.0.1"),
              "\\xff\\xfe10.0.0.1");
    EXPECT_EQ(one_line("a\xc2\x9b"
                       "31m"),
              "a\\xc2\\x9b31m");
    EXPECT_EQ(one_line("a\xe2\x80\xa8"
                       "b\xe2\x80\xa9"),
              "a\\xe2\\x80\\xa8b\\xe2\\x80\\xa9");
    EXPECT_EQ(one_line("\xc3"), "\\xc3");
    EXPECT_EQ(one_line("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(Diagnostics, CutLongQuotesBetweenCharacters) {
    EXPECT_EQ(in_quotes(std::string(300, 'x')), '"' + std::string(200, 'x') + "...\"");
    // The 200th byte is the first half of a character.
    const std::string text = std::string(199, 'x') + "\xc3\xbc" + std::string(100, 'y');
    EXPECT_EQ(in_quotes(text), '"' + std::string(199, 'x') + "...\"");
}

TEST(Diagnostics, Enumerate) {
    const std::vector<std::string> words{"a", "b", "c"};
    EXPECT_EQ(enumeration(words, " and "), "a, b and c");
    EXPECT_EQ(enumeration(std::span(words).first(2), " or "), "a or b");
    EXPECT_EQ(enumeration(std::span(words).first(1), " or "), "a");
    EXPECT_EQ(enumeration({}, " or "), "");
}

}  // namespace
}  // namespace stanzagate::config
