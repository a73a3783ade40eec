#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "config/host_name.hpp"
#include "config/nearest_word.hpp"
#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

HostPattern pattern(std::string_view text) {
    return std::get<HostPattern>(parse_host_pattern(text));
}

Config with_hosts(std::initializer_list<std::string_view> names) {
    Config config;
    for (const std::string_view name : names) config.hosts.emplace_back().name = pattern(name);
    config.index_hosts();
    return config;
}

struct FindCase {
    const char* name;
    std::string_view asked;
    std::optional<std::string_view> found;
};

void PrintTo(const FindCase& test, std::ostream* out) {
    *out << test.asked;
}

class FindHost : public testing::TestWithParam<FindCase> {};

TEST_P(FindHost, TakesTheClosest) {
    const Config config =
        with_hosts({"*.org", "*.example.org", "example.org", "*.a.example.org", "b.a.example.org"});
    const Host* host = config.find_host(GetParam().asked);
    std::optional<std::string> found;
    if (host != nullptr) found = host->name.to_string();
    EXPECT_EQ(found, GetParam().found);
}

INSTANTIATE_TEST_SUITE_P(
    All, FindHost,
    testing::Values(FindCase{"exact", "example.org", "example.org"},
                    FindCase{"exact_in_capitals", "EXAMPLE.Org", "example.org"},
                    FindCase{"one_label", "x.example.org", "*.example.org"},
                    FindCase{"two_labels", "y.x.example.org", "*.example.org"},
                    FindCase{"capitals", "X.EXAMPLE.ORG", "*.example.org"},
                    FindCase{"longer_wildcard", "x.a.example.org", "*.a.example.org"},
                    FindCase{"wildcard_is_not_its_parent", "a.example.org", "*.example.org"},
                    FindCase{"exact_below_wildcard", "b.a.example.org", "b.a.example.org"},
                    FindCase{"shorter_wildcard", "other.org", "*.org"},
                    FindCase{"not_at_a_dot", "badexample.org", "*.org"},
                    FindCase{"no_label_before_the_dot", ".org", std::nullopt},
                    FindCase{"parent", "org", std::nullopt},
                    FindCase{"other", "example.com", std::nullopt},
                    FindCase{"empty", "", std::nullopt}),
    NamedCase{});

TEST(FindHost, TakesAnyLast) {
    const Config config = with_hosts({"*", "*.example.org"});
    EXPECT_EQ(config.find_host("x.example.org")->name.to_string(), "*.example.org");
    EXPECT_EQ(config.find_host("example.org")->name.to_string(), "*");
    EXPECT_EQ(config.find_host(""), nullptr);
    EXPECT_EQ(Config().find_host("example.org"), nullptr);
}

struct NameCase {
    const char* name;
    std::string text;
    std::optional<std::string> written;
};

void PrintTo(const NameCase& test, std::ostream* out) {
    *out << test.text;
}

class HostPatternText : public testing::TestWithParam<NameCase> {};

TEST_P(HostPatternText, IsReadAndWritten) {
    const auto parsed = parse_host_pattern(GetParam().text);
    std::optional<std::string> written;
    if (const auto* found = std::get_if<HostPattern>(&parsed)) written = found->to_string();
    EXPECT_EQ(written, GetParam().written);
}

INSTANTIATE_TEST_SUITE_P(
    All, HostPatternText,
    testing::Values(NameCase{"exact", "example.org", "example.org"},
                    NameCase{"capitals", "Example.ORG", "example.org"},
                    NameCase{"wildcard", "*.Example.org", "*.example.org"},
                    NameCase{"any", "*", "*"}, NameCase{"one_label", "localhost", "localhost"},
                    NameCase{"address", "192.0.2.1", "192.0.2.1"},
                    NameCase{"underscore", "my_host", "my_host"},
                    NameCase{"punycode", "xn--mnchen-3ya.example", "xn--mnchen-3ya.example"},
                    NameCase{"longest_label", std::string(63, 'a') + ".org",
                             std::string(63, 'a') + ".org"},
                    NameCase{"label_too_long", std::string(64, 'a') + ".org", std::nullopt},
                    NameCase{"empty", "", std::nullopt}, NameCase{"dot", ".", std::nullopt},
                    NameCase{"dot_at_end", "example.org.", std::nullopt},
                    NameCase{"dot_at_start", ".example.org", std::nullopt},
                    NameCase{"two_dots", "example..org", std::nullopt},
                    NameCase{"hyphen_at_start", "-a.org", std::nullopt},
                    NameCase{"hyphen_at_end", "a-.org", std::nullopt},
                    NameCase{"space", "example .org", std::nullopt},
                    NameCase{"port", "example.org:5222", std::nullopt},
                    NameCase{"jid", "a@example.org", std::nullopt},
                    NameCase{"wildcard_alone", "*.", std::nullopt},
                    NameCase{"wildcard_inside", "a.*.org", std::nullopt},
                    NameCase{"wildcard_in_label", "a*.org", std::nullopt},
                    NameCase{"two_wildcards", "*.*.org", std::nullopt},
                    NameCase{"outside_ascii", "m\xc3\xbcnchen.example", std::nullopt},
                    NameCase{"wrong_address", "192.0.2.256", std::nullopt},
                    NameCase{"number", "12345", std::nullopt}),
    NamedCase{});

class UpstreamText : public testing::TestWithParam<NameCase> {};

TEST_P(UpstreamText, IsReadAndWritten) {
    const auto parsed = parse_upstream_address(GetParam().text);
    std::optional<std::string> written;
    if (const auto* found = std::get_if<UpstreamAddress>(&parsed)) written = found->to_string();
    EXPECT_EQ(written, GetParam().written);
}

INSTANTIATE_TEST_SUITE_P(
    All, UpstreamText,
    testing::Values(NameCase{"tcp", "tcp://127.0.0.1:5222", "tcp://127.0.0.1:5222"},
                    NameCase{"starttls", "starttls://xmpp.internal:5222",
                             "starttls://xmpp.internal:5222"},
                    NameCase{"tls", "tls://[2001:DB8::1]:65535", "tls://[2001:db8::1]:65535"},
                    NameCase{"capitals", "TCP://LocalHost:1", "tcp://localhost:1"},
                    NameCase{"mapped", "tcp://[::ffff:192.0.2.1]:1", "tcp://192.0.2.1:1"},
                    NameCase{"empty", "", std::nullopt},
                    NameCase{"no_scheme", "127.0.0.1:5222", std::nullopt},
                    NameCase{"other_scheme", "http://127.0.0.1:5222", std::nullopt},
                    NameCase{"no_host", "tcp://:5222", std::nullopt},
                    NameCase{"no_port", "tcp://127.0.0.1", std::nullopt},
                    NameCase{"v6_no_port", "tcp://[::1]", std::nullopt},
                    NameCase{"empty_port", "tcp://127.0.0.1:", std::nullopt},
                    NameCase{"port_zero", "tcp://127.0.0.1:0", std::nullopt},
                    NameCase{"port_too_large", "tcp://127.0.0.1:65536", std::nullopt},
                    NameCase{"port_word", "tcp://127.0.0.1:xmpp", std::nullopt},
                    NameCase{"v6_no_brackets", "tcp://::1:5222", std::nullopt},
                    NameCase{"v4_in_brackets", "tcp://[127.0.0.1]:5222", std::nullopt},
                    NameCase{"bracket_only", "tcp://[:5222", std::nullopt},
                    NameCase{"path", "tcp://127.0.0.1:5222/", std::nullopt},
                    NameCase{"user", "tcp://me@example.org:5222", std::nullopt},
                    NameCase{"zero_byte", std::string("tcp://a\0b:1", 11), std::nullopt}),
    NamedCase{});

TEST(NearestWord, IsNearOrNothing) {
    const std::vector<std::string> words{"stanza_size", "stanza_depth", "key", "name", "tls"};
    EXPECT_EQ(nearest_word("stanza_dept", words), "stanza_depth");
    EXPECT_EQ(nearest_word("stanza-size", words), "stanza_size");
    EXPECT_EQ(nearest_word("STANZA_SIZE", words), "stanza_size");
    EXPECT_EQ(nearest_word("stanza_szie", words), "stanza_size");
    EXPECT_EQ(nearest_word("naem", words), "name");
    EXPECT_EQ(nearest_word("ssl", words), "");
    EXPECT_EQ(nearest_word("colour", words), "");
    EXPECT_EQ(nearest_word("", words), "");
    EXPECT_EQ(nearest_word(std::string(10'000, 'a'), words), "");
    EXPECT_EQ(nearest_word("key", {}), "");
}

}  // namespace
}  // namespace stanzagate::config
