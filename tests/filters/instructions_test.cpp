#include "filters/instructions.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// The words of Prosody's mod_register_redirect, setting by setting, with the gate's differences.
namespace stanzagate::filters {
namespace {

config::TextTemplate text_template(const std::string& text) {
    return std::get<config::TextTemplate>(config::TextTemplate::parse(text));
}

struct Case {
    const char* name;
    std::optional<std::string> url;
    std::optional<std::string> text;
    std::vector<std::string> admins;
    bool oob;
    std::string expected_text;
    std::string expected_url;
};

std::ostream& operator<<(std::ostream& out, const Case& one) {
    return out << one.name;
}

class References : public testing::TestWithParam<Case> {};

TEST_P(References, SameWords) {
    auto const& setting = GetParam();
    config::Registration registration;
    if (setting.url) registration.url = text_template(*setting.url);
    if (setting.text) registration.text.emplace_back("", text_template(*setting.text));
    registration.admins = setting.admins;
    registration.oob = setting.oob;
    auto const instructions = instructions_for(registration, "example.org", std::nullopt, "");
    EXPECT_EQ(instructions.text, setting.expected_text);
    EXPECT_EQ(instructions.oob_url, setting.expected_url);
    EXPECT_EQ(instructions.lang, "en");
}

INSTANTIATE_TEST_SUITE_P(
    Instructions, References,
    testing::ValuesIn(std::vector<Case>{
        {"https",
         "https://example.org/register?a=1&b=2",
         {},
         {},
         true,
         "Please visit https://example.org/register?a=1&b=2 to register an account on this server.",
         "https://example.org/register?a=1&b=2"},
        {"http",
         "http://example.org/",
         {},
         {},
         true,
         "Please visit http://example.org/ to register an account on this server.",
         "http://example.org/"},
        {"scheme_in_capitals",
         "HTTPS://example.org/",
         {},
         {},
         true,
         "Please visit HTTPS://example.org/ to register an account on this server.",
         "HTTPS://example.org/"},
        {"mailto",
         "mailto:reg@example.org",
         {},
         {},
         true,
         "Please send an e-mail at reg@example.org to register an account on this server.",
         "mailto:reg@example.org"},
        {"xmpp",
         "xmpp:admin@example.org",
         {},
         {},
         true,
         "Please contact example.org's server administrator via xmpp to register an account on this"
         " server at: admin@example.org",
         "xmpp:admin@example.org"},
        {"text_and_url", "https://example.org/", "T", {}, true, "T", "https://example.org/"},
        {"text_and_odd_url", "ftp://x", "T", {}, true, "T", "ftp://x"},
        {"text_alone", {}, "T", {"a@b"}, true, "T", ""},
        {"text_without_oob", "https://example.org/", "T", {}, false, "T", ""},
        {"no_oob",
         "https://example.org/",
         {},
         {"one@example.org", "two@example.org"},
         false,
         "Please contact example.org's server administrator via xmpp to register an account on this"
         " server at: one@example.org",
         ""},
        {"no_url",
         {},
         {},
         {"one@example.org"},
         true,
         "Please contact example.org's server administrator via xmpp to register an account on this"
         " server at: one@example.org",
         ""},
        {"nothing", {}, {}, {}, true, "", ""},
        {"host_in_the_url",
         "https://example.org/{host}",
         "See {url}",
         {},
         true,
         "See https://example.org/example.org",
         "https://example.org/example.org"},
        {"no_address", {}, "From {address}, {{x}", {}, true, "From unknown, {x}", ""},
    }),
    [](auto const& suite) { return suite.param.name; });

struct LanguageCase {
    std::string wanted;
    std::string got;
};

// RFC 4647 section 3.4.
TEST(Languages, AreLookedUp) {
    config::Registration registration;
    for (auto const* const tag : {"de", "en", "zh-Hant", "pt-BR", "sr-Latn-RS"})
        registration.text.emplace_back(tag, text_template(tag));
    for (auto const& [wanted, got] : std::vector<LanguageCase>{
             {"de", "de"},
             {"DE", "de"},
             {"de-AT", "de"},
             {"de-CH-1996", "de"},
             {"de-x-private", "de"},
             {"pt-br", "pt-BR"},
             {"pt", "en"},
             {"zh-Hant-TW", "zh-Hant"},
             {"zh-Hans", "en"},
             {"sr-Latn-RS-x-a", "sr-Latn-RS"},
             {"fr", "en"},
             {"", "en"},
             {"d", "en"},
             {"dex", "en"},
             {"-", "en"},
             {"--", "en"},
             {"de-", "de"},
             {std::string(10'000, '-'), "en"},
         }) {
        auto const instructions =
            instructions_for(registration, "example.org", std::nullopt, wanted);
        EXPECT_EQ(instructions.text, got) << wanted;
        EXPECT_EQ(instructions.lang, got) << wanted;
    }
}

TEST(Languages, TheFirstOneWhereNothingFits) {
    config::Registration registration;
    registration.text.emplace_back("sv", text_template("Hej"));
    registration.text.emplace_back("de", text_template("Hallo"));
    auto const instructions = instructions_for(registration, "h", std::nullopt, "fr");
    EXPECT_EQ(instructions.text, "Hej");
    EXPECT_EQ(instructions.lang, "sv");
}

// What a client says goes into a url only percent-encoded.
TEST(Placeholders, OfTheClientAreEncodedInUrls) {
    config::Registration registration;
    registration.url = text_template("https://example.org/?l={lang}&a={address}");
    registration.text.emplace_back("", text_template("{lang} {url}"));
    auto const instructions = instructions_for(
        registration, "h", config::Address::parse("2001:db8::1"), "de'&<x>/../ \xC3\xA9");
    EXPECT_EQ(instructions.oob_url,
              "https://example.org/?l=de%27%26%3Cx%3E%2F..%2F%20%C3%A9&a=2001%3Adb8%3A%3A1");
    EXPECT_EQ(instructions.text, "de'&<x>/../ \xC3\xA9 " + instructions.oob_url);
}

}  // namespace
}  // namespace stanzagate::filters
