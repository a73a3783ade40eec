#include "proxy/forwarded_address.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stanzagate::proxy {
namespace {

using Lines = std::vector<std::string_view>;

// "peer", "hidden", "refused", or the address that was told.
std::string asked(std::string_view peer, const Lines& forwarded, const Lines& x_forwarded_for) {
    const std::vector<config::Network> believed{*config::Network::parse("10.0.0.0/8"),
                                                *config::Network::parse("2001:db8:1::/48")};
    const auto client =
        forwarded_client(*config::Address::parse(peer), believed, {forwarded, x_forwarded_for});
    using Kind = ForwardedClient::Kind;
    EXPECT_EQ(client.address.has_value(), client.kind == Kind::peer || client.kind == Kind::told);
    EXPECT_EQ(client.reason.empty(), client.kind != Kind::refused);
    switch (client.kind) {
        case Kind::peer:
            EXPECT_EQ(client.address, config::Address::parse(peer));
            return "peer";
        case Kind::told:
            return client.address->to_string();
        case Kind::hidden:
            return "hidden";
        case Kind::refused:
            return "refused";
    }
    return "";
}

struct Case {
    const char* name;
    Lines forwarded;
    Lines x_forwarded_for;
    const char* expected;
    const char* peer = "10.0.0.1";
};

class Forwarded : public testing::TestWithParam<Case> {};

TEST_P(Forwarded, TellsTheClient) {
    EXPECT_EQ(asked(GetParam().peer, GetParam().forwarded, GetParam().x_forwarded_for),
              GetParam().expected);
}

constexpr auto named = [](const auto& test) { return std::string(test.param.name); };

INSTANTIATE_TEST_SUITE_P(
    ByXForwardedFor, Forwarded,
    testing::Values(
        Case{"one", {}, {"192.0.2.1"}, "192.0.2.1"},
        Case{"not_believed", {}, {"192.0.2.1"}, "peer", "198.51.100.1"},
        Case{"not_believed_garbage", {}, {"?"}, "peer", "198.51.100.1"},
        Case{"none", {}, {}, "peer"},
        Case{"peer_v6", {}, {"192.0.2.1"}, "192.0.2.1", "2001:db8:1::5"},
        Case{"right_most", {}, {"192.0.2.9, 192.0.2.1"}, "192.0.2.1"},
        Case{"through_believed", {}, {"192.0.2.9,192.0.2.1, 10.1.2.3 ,2001:db8:1::9"}, "192.0.2.1"},
        Case{"all_believed", {}, {"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
        Case{"lines", {}, {"192.0.2.9", "192.0.2.1", "10.0.0.2"}, "192.0.2.1"},
        Case{"spoofed_line", {}, {"127.0.0.1", "192.0.2.1"}, "192.0.2.1"},
        Case{"spoofed_believed", {}, {"10.0.0.9, 192.0.2.1"}, "192.0.2.1"},
        Case{"garbage_to_the_left", {}, {"<x>, \", 192.0.2.1"}, "192.0.2.1"},
        Case{"garbage_line_to_the_left", {}, {"<x>\"", "192.0.2.1"}, "192.0.2.1"},
        Case{"port", {}, {"192.0.2.1:1234"}, "192.0.2.1"},
        Case{"v6", {}, {"2001:DB8::1"}, "2001:db8::1"},
        Case{"v6_brackets", {}, {"[2001:db8::1]"}, "2001:db8::1"},
        Case{"v6_port", {}, {"[2001:db8::1]:65535"}, "2001:db8::1"},
        Case{"v4_mapped", {}, {"::ffff:192.0.2.1"}, "192.0.2.1"},
        Case{"v4_mapped_believed", {}, {"192.0.2.1, ::ffff:10.0.0.7"}, "192.0.2.1"},
        Case{"empty_elements", {}, {" , 192.0.2.1 ,, ", ""}, "192.0.2.1"},
        Case{"unknown", {}, {"unknown"}, "hidden"},
        Case{"unknown_to_the_left", {}, {"unknown, 192.0.2.1"}, "192.0.2.1"},
        Case{"unknown_decides", {}, {"192.0.2.1, Unknown, 10.0.0.2"}, "hidden"},
        Case{"empty", {}, {""}, "refused"}, Case{"commas", {}, {",,,"}, "refused"},
        Case{"word", {}, {"localhost"}, "refused"},
        Case{"garbage_decides", {}, {"192.0.2.1, x, 10.0.0.2"}, "refused"},
        Case{"port_wrong", {}, {"192.0.2.1:x"}, "refused"},
        Case{"port_empty", {}, {"192.0.2.1:"}, "refused"},
        Case{"port_long", {}, {"192.0.2.1:123456"}, "refused"},
        Case{"brackets_open", {}, {"[2001:db8::1"}, "refused"},
        Case{"brackets_empty", {}, {"[]"}, "refused"},
        Case{"brackets_v4", {}, {"[192.0.2.1]"}, "refused"},
        Case{"brackets_more", {}, {"[2001:db8::1]x"}, "refused"},
        Case{"zone", {}, {"fe80::1%eth0"}, "refused"},
        Case{"two_in_one", {}, {"192.0.2.1 192.0.2.2"}, "refused"},
        Case{"nul", {}, {std::string_view("192.0.2.1\0", 10)}, "refused"}),
    named);

INSTANTIATE_TEST_SUITE_P(
    ByForwarded, Forwarded,
    testing::Values(
        Case{"one", {"for=192.0.2.1"}, {}, "192.0.2.1"},
        Case{"not_believed", {"for=192.0.2.1"}, {}, "peer", "198.51.100.1"},
        Case{"parameters",
             {"by=10.0.0.1;FOR=192.0.2.1;proto=https;host=\"a;b,c\""},
             {},
             "192.0.2.1"},
        Case{"spaces", {" proto=https ; for = 192.0.2.1 ;"}, {}, "192.0.2.1"},
        Case{"quoted", {"for=\"192.0.2.1:80\""}, {}, "192.0.2.1"},
        Case{"quoted_v6", {"for=\"[2001:db8::1]:1234\""}, {}, "2001:db8::1"},
        Case{"quoted_pair", {"for=\"[2001\\:db8::1]\""}, {}, "2001:db8::1"},
        Case{"unquoted_v6", {"for=[2001:db8::1]"}, {}, "2001:db8::1"},
        Case{"right_most", {"for=192.0.2.9, for=192.0.2.1"}, {}, "192.0.2.1"},
        Case{"through_believed",
             {"for=192.0.2.9", "for=192.0.2.1, for=\"[2001:db8:1::2]\""},
             {},
             "192.0.2.1"},
        Case{"all_believed", {"for=10.0.0.3;by=10.0.0.2, for=10.0.0.2"}, {}, "10.0.0.3"},
        Case{"obfuscated_port", {"for=\"192.0.2.1:_p-1\""}, {}, "192.0.2.1"},
        Case{"unknown", {"for=unknown"}, {}, "hidden"},
        Case{"unknown_port", {"for=\"unknown:80\""}, {}, "hidden"},
        Case{"obfuscated", {"for=_SEVKISEK"}, {}, "hidden"},
        Case{"obfuscated_port_too", {"for=\"_a:_b\""}, {}, "hidden"},
        Case{"obfuscated_to_the_left", {"for=_a, for=192.0.2.1"}, {}, "192.0.2.1"},
        Case{"obfuscated_decides", {"for=192.0.2.1, for=_a, for=10.0.0.2"}, {}, "hidden"},
        Case{"without_for", {"proto=https;by=10.0.0.1"}, {}, "hidden"},
        Case{"quoted_comma", {"host=\"a, for=127.0.0.1\";for=192.0.2.1"}, {}, "192.0.2.1"},
        Case{"escaped_quote", {"host=\"\\\", for=127.0.0.1\";for=192.0.2.1"}, {}, "192.0.2.1"},
        Case{"open_quote", {"for=\"192.0.2.1"}, {}, "refused"},
        Case{"open_quote_swallows", {"for=\"x, for=192.0.2.1"}, {}, "refused"},
        Case{"open_quote_to_the_left", {"for=\"x", "for=192.0.2.1"}, {}, "192.0.2.1"},
        Case{"escape_at_end", {"for=\"192.0.2.1\\"}, {}, "refused"},
        Case{"after_quote", {"for=\"192.0.2.1\"x"}, {}, "refused"},
        Case{"quote_inside", {"for=192.0.2.\"1\""}, {}, "refused"},
        Case{"twice", {"for=192.0.2.1;for=192.0.2.2"}, {}, "refused"},
        Case{"no_value", {"for="}, {}, "refused"}, Case{"no_equals", {"192.0.2.1"}, {}, "refused"},
        Case{"underscore", {"for=_"}, {}, "refused"},
        Case{"obfuscated_wrong", {"for=_a/b"}, {}, "refused"},
        Case{"name", {"for=example.org"}, {}, "refused"}, Case{"empty", {""}, {}, "refused"}),
    named);

INSTANTIATE_TEST_SUITE_P(
    ByBoth, Forwarded,
    testing::Values(Case{"agree", {"for=\"192.0.2.1:1\""}, {"192.0.2.9, 192.0.2.1"}, "192.0.2.1"},
                    Case{"differ", {"for=127.0.0.1"}, {"192.0.2.1"}, "refused"},
                    Case{"hidden_by_one", {"for=unknown"}, {"192.0.2.1"}, "refused"},
                    Case{"hidden_by_the_other", {"for=192.0.2.1"}, {"unknown"}, "refused"},
                    Case{"hidden_by_both", {"for=_x"}, {"unknown"}, "hidden"},
                    Case{"garbage_in_one", {"?"}, {"192.0.2.1"}, "refused"},
                    Case{"garbage_in_the_other", {"for=192.0.2.1"}, {"?"}, "refused"},
                    Case{"not_believed", {"for=127.0.0.1"}, {"192.0.2.1"}, "peer", "192.0.2.7"}),
    named);

TEST(ForwardedFields, MayBeOnlySoLong) {
    std::string line;
    while (line.size() + 10 <= max_forwarded_bytes) line += "10.0.0.2 ,";
    line.replace(0, 9, "192.0.2.1");
    line.resize(max_forwarded_bytes, ' ');
    EXPECT_EQ(asked("10.0.0.1", {}, {line}), "192.0.2.1");
    EXPECT_EQ(asked("10.0.0.1", {}, {line, " "}), "refused");
    EXPECT_EQ(asked("10.0.0.1", {line + "; "}, {}), "refused");
}

}  // namespace
}  // namespace stanzagate::proxy
