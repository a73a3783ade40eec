#include "config/origin.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

struct OriginCase {
    const char* name;
    std::vector<std::string> allowed;
    std::string_view origin;
    bool expected;
};

class OriginAllowed : public testing::TestWithParam<OriginCase> {};

TEST_P(OriginAllowed, Says) {
    EXPECT_EQ(origin_allowed(GetParam().allowed, GetParam().origin), GetParam().expected);
}

const std::vector<std::string> one{"https://chat.example.org"};
const std::vector<std::string> several{"https://a.example", "http://b.example:8080",
                                       "http://[2001:db8::1]", "app://local_host"};

INSTANTIATE_TEST_SUITE_P(
    All, OriginAllowed,
    testing::Values(
        OriginCase{"all", {"*"}, "https://anything.example", true},
        OriginCase{"all_null", {"*"}, "null", true}, OriginCase{"all_garbage", {"*"}, "\x01", true},
        OriginCase{"all_among", {"https://a.example", "*"}, "https://b.example", true},
        OriginCase{"nobody", {}, "https://a.example", false},
        OriginCase{"nobody_null", {}, "null", false},
        OriginCase{"same", one, "https://chat.example.org", true},
        OriginCase{"letters", one, "HTTPS://Chat.Example.ORG", true},
        OriginCase{"letters_of_list", {"HTTPS://CHAT.example"}, "https://chat.example", true},
        OriginCase{"own_port", one, "https://chat.example.org:443", true},
        OriginCase{"own_port_of_list", {"http://a.example:80"}, "http://a.example", true},
        OriginCase{"own_port_of_ws", {"ws://a.example"}, "ws://a.example:80", true},
        OriginCase{"own_port_of_wss", {"wss://a.example"}, "wss://a.example:443", true},
        OriginCase{"no_own_port", {"app://a.example"}, "app://a.example:443", false},
        OriginCase{"port_of_http", {"https://a.example"}, "https://a.example:80", false},
        OriginCase{"other_port", one, "https://chat.example.org:8443", false},
        OriginCase{"other_scheme", one, "http://chat.example.org", false},
        OriginCase{"other_scheme_port", one, "http://chat.example.org:443", false},
        OriginCase{"host_below", one, "https://x.chat.example.org", false},
        OriginCase{"host_above", one, "https://example.org", false},
        OriginCase{"begins_alike", one, "https://chat.example.org.evil.example", false},
        OriginCase{"slash", one, "https://chat.example.org/", false},
        OriginCase{"user", one, "https://chat.example.org@evil.example", false},
        OriginCase{"null", one, "null", false}, OriginCase{"empty", one, "", false},
        OriginCase{"space", one, " https://chat.example.org", false},
        OriginCase{"two", one, "https://chat.example.org https://evil.example", false},
        OriginCase{"nul", one, std::string_view("https://chat.example.org\0", 25), false},
        OriginCase{"null_in_list", {"null"}, "null", false},
        OriginCase{"equal_garbage", {"garbage"}, "garbage", false},
        OriginCase{"second", several, "http://b.example:8080", true},
        OriginCase{"second_without_port", several, "http://b.example", false},
        OriginCase{"v6", several, "http://[2001:db8::1]:80", true},
        OriginCase{"v6_written_out", several, "http://[2001:DB8:0:0::0:1]", true},
        OriginCase{"v6_other", several, "http://[2001:db8::2]", false},
        OriginCase{"app", several, "app://local_host", true}),
    NamedCase{});

TEST(Origin, IsOneOnlyInItsForm) {
    for (const std::string_view right :
         {"https://example.org", "http://192.0.2.1:1", "https://[::1]:65535", "a+b-c.d://x",
          "moz-extension://3f2a-11", "https://example.org:443"})
        EXPECT_TRUE(is_origin(right)) << right;
    for (const std::string_view wrong : {"",
                                         "*",
                                         "null",
                                         "://",
                                         "https",
                                         "https:",
                                         "https:/a",
                                         "https://",
                                         "://a",
                                         "1a://b",
                                         "https://a/",
                                         "https://a?",
                                         "https://a#",
                                         "https://a b",
                                         "https://a:",
                                         "https://a:0",
                                         "https://a:65536",
                                         "https://a:1:2",
                                         "https://:1",
                                         "https://[::1",
                                         "https://::1",
                                         "https://[]",
                                         "https://[192.0.2.1]",
                                         "https://[::1]x",
                                         "https://[::1]:",
                                         "https://u@a",
                                         "https://a://b",
                                         "https://b\xc3\xbc",
                                         "https://*.a",
                                         "https://a:+1",
                                         "https://a: 1"})
        EXPECT_FALSE(is_origin(wrong)) << wrong;
}

TEST(Origin, EndlessOnesAreNone) {
    EXPECT_FALSE(is_origin("https://" + std::string(1'000'000, 'a')));
    EXPECT_FALSE(origin_allowed(one, "https://" + std::string(1'000'000, 'a')));
}

}  // namespace
}  // namespace stanzagate::config
