#include "config/text_template.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

using Escape = TextTemplate::Escape;
using Placeholder = TextTemplate::Placeholder;

TextTemplate parsed(std::string_view text) {
    return std::get<TextTemplate>(TextTemplate::parse(text));
}

struct ExpandCase {
    const char* name;
    std::string_view text;
    std::string_view plain;
    std::string_view percent;
};

void PrintTo(const ExpandCase& test, std::ostream* out) {
    *out << test.text;
}

class Expand : public testing::TestWithParam<ExpandCase> {};

TEST_P(Expand, PutsValuesIn) {
    const TextTemplate::Values values{.host = "m\xc3\xbc.example",
                                      .url = "https://example.org/a?b=1&c",
                                      .address = "2001:db8::1",
                                      .lang = "pt-BR"};
    const TextTemplate text = parsed(GetParam().text);
    EXPECT_EQ(text.expand(values), GetParam().plain);
    EXPECT_EQ(text.expand(values, Escape::percent), GetParam().percent);
}

INSTANTIATE_TEST_SUITE_P(
    All, Expand,
    testing::Values(ExpandCase{"empty", "", "", ""},
                    ExpandCase{"literal", "a b&<>%", "a b&<>%", "a b&<>%"},
                    ExpandCase{"host", "{host}", "m\xc3\xbc.example", "m%C3%BC.example"},
                    ExpandCase{"url", "see {url}!", "see https://example.org/a?b=1&c!",
                               "see https%3A%2F%2Fexample.org%2Fa%3Fb%3D1%26c!"},
                    ExpandCase{"address", "x?{address}", "x?2001:db8::1", "x?2001%3Adb8%3A%3A1"},
                    ExpandCase{"lang", "{lang}", "pt-BR", "pt-BR"},
                    ExpandCase{"neighbours", "{lang}{lang}", "pt-BRpt-BR", "pt-BRpt-BR"},
                    ExpandCase{"brace", "a {{ b", "a { b", "a { b"},
                    ExpandCase{"brace_is_no_placeholder", "{{host}", "{host}", "{host}"},
                    ExpandCase{"brace_then_placeholder", "{{{lang}", "{pt-BR", "{pt-BR"},
                    ExpandCase{"two_braces", "{{{{", "{{", "{{"},
                    ExpandCase{"closing_brace_is_itself", "a } b }}", "a } b }}", "a } b }}"}),
    NamedCase{});

struct WrongCase {
    const char* name;
    std::string_view text;
    std::string_view message;
};

void PrintTo(const WrongCase& test, std::ostream* out) {
    *out << test.text;
}

class WrongTemplate : public testing::TestWithParam<WrongCase> {};

TEST_P(WrongTemplate, IsRefused) {
    const auto result = TextTemplate::parse(GetParam().text);
    ASSERT_TRUE(std::holds_alternative<std::string>(result));
    EXPECT_EQ(std::get<std::string>(result), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongTemplate,
    testing::Values(
        WrongCase{"misspelt", "go to {hots}",
                  "unknown placeholder {hots}; there are {host}, {url}, {address} and "
                  "{lang}, and \"{{\" is a brace; did you mean \"host\"?"},
        WrongCase{"unknown", "{password}",
                  "unknown placeholder {password}; there are {host}, {url}, {address} "
                  "and {lang}, and \"{{\" is a brace"},
        WrongCase{"empty", "{}",
                  "unknown placeholder {}; there are {host}, {url}, {address} and "
                  "{lang}, and \"{{\" is a brace"},
        WrongCase{"open", "a {host", "a \"{\" is never closed; write \"{{\" for a brace"},
        WrongCase{"open_at_end", "a {", "a \"{\" is never closed; write \"{{\" for a brace"}),
    NamedCase{});

TEST(TextTemplate, KnowsWhatItUses) {
    const TextTemplate text = parsed("{url} for {host}, not {{lang}");
    EXPECT_TRUE(text.uses(Placeholder::url));
    EXPECT_TRUE(text.uses(Placeholder::host));
    EXPECT_FALSE(text.uses(Placeholder::lang));
    EXPECT_FALSE(text.uses(Placeholder::address));
}

TEST(TextTemplate, IsEmptyOnlyWithoutText) {
    EXPECT_TRUE(TextTemplate().empty());
    EXPECT_TRUE(parsed("").empty());
    EXPECT_FALSE(parsed("{lang}").empty());
    EXPECT_EQ(parsed("a{{"), parsed("a{{"));
}

}  // namespace
}  // namespace stanzagate::config
