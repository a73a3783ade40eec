#include "config/address.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

// What a text becomes when it is read and written again; nullopt: it is refused.
using Written = std::optional<std::string_view>;

template <class T>
std::optional<std::string> read_and_write(std::string_view text) {
    const auto value = T::parse(text);
    if (!value) return std::nullopt;
    return value->to_string();
}

struct Case {
    const char* name;
    std::string_view text;
    Written written;
};

void PrintTo(const Case& test, std::ostream* out) {
    *out << test.text;
}

class AddressText : public testing::TestWithParam<Case> {};

TEST_P(AddressText, IsReadAndWritten) {
    EXPECT_EQ(read_and_write<Address>(GetParam().text), GetParam().written);
}

INSTANTIATE_TEST_SUITE_P(
    All, AddressText,
    testing::Values(
        Case{"v4", "192.0.2.1", "192.0.2.1"}, Case{"v4_zero", "0.0.0.0", "0.0.0.0"},
        Case{"v4_broadcast", "255.255.255.255", "255.255.255.255"},
        Case{"v6", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"}, Case{"v6_any", "::", "::"},
        Case{"v6_loopback", "::1", "::1"},
        Case{"v6_longest_run", "2001:db8:0:0:1:0:0:0", "2001:db8:0:0:1::"},
        Case{"v6_single_zero_stays", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        Case{"mapped_dotted", "::ffff:192.0.2.1", "192.0.2.1"},
        Case{"mapped_hex", "::FFFF:c000:201", "192.0.2.1"},
        Case{"v4_compatible_is_v6", "::2:3", "::2:3"}, Case{"empty", "", std::nullopt},
        Case{"name", "localhost", std::nullopt},
        Case{"v4_leading_zero", "192.0.2.01", std::nullopt},
        Case{"v4_three_parts", "192.0.2", std::nullopt},
        Case{"v4_too_large", "192.0.2.256", std::nullopt},
        Case{"v4_hex", "0xc0.0.2.1", std::nullopt}, Case{"v6_zone", "fe80::1%eth0", std::nullopt},
        Case{"v6_brackets", "[::1]", std::nullopt}, Case{"v6_two_gaps", "1::2::3", std::nullopt},
        Case{"v6_too_long", "1:2:3:4:5:6:7:8:9", std::nullopt},
        Case{"space_before", " 192.0.2.1", std::nullopt},
        Case{"space_after", "192.0.2.1 ", std::nullopt},
        Case{"zero_byte", std::string_view("192.0.2.1\0x", 11), std::nullopt},
        Case{"very_long", "1111111111111111111111111111111111111111111111111111", std::nullopt}),
    NamedCase{});

class EndpointText : public testing::TestWithParam<Case> {};

TEST_P(EndpointText, IsReadAndWritten) {
    EXPECT_EQ(read_and_write<Endpoint>(GetParam().text), GetParam().written);
}

INSTANTIATE_TEST_SUITE_P(
    All, EndpointText,
    testing::Values(Case{"v4", "192.0.2.1:5222", "192.0.2.1:5222"},
                    Case{"v6", "[2001:db8::1]:5222", "[2001:db8::1]:5222"},
                    Case{"any_port", "0.0.0.0:0", "0.0.0.0:0"},
                    Case{"last_port", "[::]:65535", "[::]:65535"},
                    Case{"mapped", "[::ffff:192.0.2.1]:80", "192.0.2.1:80"},
                    Case{"empty", "", std::nullopt}, Case{"colon", ":", std::nullopt},
                    Case{"no_port", "192.0.2.1", std::nullopt},
                    Case{"empty_port", "192.0.2.1:", std::nullopt},
                    Case{"port_too_large", "192.0.2.1:65536", std::nullopt},
                    Case{"port_much_too_large", "192.0.2.1:99999999999999999999", std::nullopt},
                    Case{"port_negative", "192.0.2.1:-1", std::nullopt},
                    Case{"port_plus", "192.0.2.1:+1", std::nullopt},
                    Case{"port_leading_zero", "192.0.2.1:05222", std::nullopt},
                    Case{"port_only", ":5222", std::nullopt},
                    Case{"port_with_tail", "192.0.2.1:5222x", std::nullopt},
                    Case{"v6_without_brackets", "2001:db8::1:5222", std::nullopt},
                    Case{"v6_without_port", "[::1]", std::nullopt},
                    Case{"v6_zone", "[fe80::1%1]:5222", std::nullopt},
                    Case{"v4_in_brackets", "[192.0.2.1]:5222", std::nullopt},
                    Case{"half_a_bracket", "[::1:5222", std::nullopt},
                    Case{"empty_brackets", "[]:5222", std::nullopt},
                    Case{"name", "localhost:5222", std::nullopt}),
    NamedCase{});

class NetworkText : public testing::TestWithParam<Case> {};

TEST_P(NetworkText, IsReadAndWritten) {
    EXPECT_EQ(read_and_write<Network>(GetParam().text), GetParam().written);
}

INSTANTIATE_TEST_SUITE_P(All, NetworkText,
                         testing::Values(Case{"v4", "192.0.2.0/24", "192.0.2.0/24"},
                                         Case{"v4_all", "0.0.0.0/0", "0.0.0.0/0"},
                                         Case{"v4_one", "192.0.2.1/32", "192.0.2.1"},
                                         Case{"v4_address", "192.0.2.1", "192.0.2.1"},
                                         Case{"v4_odd", "192.0.2.128/25", "192.0.2.128/25"},
                                         Case{"v6", "2001:db8::/32", "2001:db8::/32"},
                                         Case{"v6_all", "::/0", "::/0"},
                                         Case{"v6_address", "::1", "::1"},
                                         Case{"v6_odd", "2001:db8:8000::/33", "2001:db8:8000::/33"},
                                         Case{"mapped", "::ffff:192.0.2.0/120", "192.0.2.0/24"},
                                         Case{"mapped_all", "::ffff:0:0/96", "0.0.0.0/0"},
                                         Case{"mapped_address", "::ffff:192.0.2.1", "192.0.2.1"},
                                         Case{"mapped_too_wide", "::ffff:0:0/95", std::nullopt},
                                         Case{"v4_host_bits", "192.0.2.1/24", std::nullopt},
                                         Case{"v4_one_host_bit", "192.0.2.128/24", std::nullopt},
                                         Case{"v6_host_bits", "2001:db8::1/64", std::nullopt},
                                         Case{"v4_too_long", "192.0.2.0/33", std::nullopt},
                                         Case{"v6_too_long", "2001:db8::/129", std::nullopt},
                                         Case{"no_length", "192.0.2.0/", std::nullopt},
                                         Case{"negative", "192.0.2.0/-1", std::nullopt},
                                         Case{"mask", "192.0.2.0/255.255.255.0", std::nullopt},
                                         Case{"short_form", "192.0.2/24", std::nullopt},
                                         Case{"two_slashes", "192.0.2.0/24/24", std::nullopt},
                                         Case{"leading_zero", "192.0.2.0/024", std::nullopt},
                                         Case{"empty", "", std::nullopt},
                                         Case{"slash", "/", std::nullopt}),
                         NamedCase{});

struct ContainsCase {
    const char* name;
    std::string_view network;
    std::string_view address;
    bool contained;
};

void PrintTo(const ContainsCase& test, std::ostream* out) {
    *out << test.network << ' ' << test.address;
}

class NetworkContains : public testing::TestWithParam<ContainsCase> {};

TEST_P(NetworkContains, Address) {
    const auto network = Network::parse(GetParam().network);
    const auto address = Address::parse(GetParam().address);
    ASSERT_TRUE(network && address);
    EXPECT_EQ(network->contains(*address), GetParam().contained);
}

INSTANTIATE_TEST_SUITE_P(
    All, NetworkContains,
    testing::Values(ContainsCase{"first", "192.0.2.0/24", "192.0.2.0", true},
                    ContainsCase{"last", "192.0.2.0/24", "192.0.2.255", true},
                    ContainsCase{"below", "192.0.2.0/24", "192.0.1.255", false},
                    ContainsCase{"above", "192.0.2.0/24", "192.0.3.0", false},
                    ContainsCase{"odd_inside", "192.0.2.128/25", "192.0.2.129", true},
                    ContainsCase{"odd_outside", "192.0.2.128/25", "192.0.2.127", false},
                    ContainsCase{"itself", "192.0.2.1", "192.0.2.1", true},
                    ContainsCase{"neighbour", "192.0.2.1", "192.0.2.2", false},
                    ContainsCase{"mapped", "192.0.2.0/24", "::ffff:192.0.2.7", true},
                    ContainsCase{"all_v4_has_v4", "0.0.0.0/0", "203.0.113.1", true},
                    ContainsCase{"all_v4_has_no_v6", "0.0.0.0/0", "2001:db8::1", false},
                    ContainsCase{"all_v6_has_v6", "::/0", "2001:db8::1", true},
                    ContainsCase{"all_v6_has_no_v4", "::/0", "203.0.113.1", false},
                    ContainsCase{"v6_inside", "2001:db8::/32", "2001:db8:ffff::1", true},
                    ContainsCase{"v6_outside", "2001:db8::/32", "2001:db9::1", false},
                    ContainsCase{"v6_odd", "2001:db8:8000::/33", "2001:db8:7fff::", false}),
    NamedCase{});

TEST(Address, IsEqualHoweverItWasWritten) {
    EXPECT_EQ(Address::parse("::ffff:192.0.2.1"), Address::parse("192.0.2.1"));
    EXPECT_EQ(Address::from(Address::V4{192, 0, 2, 1}), Address::parse("192.0.2.1"));
    EXPECT_EQ(Address::from(Address::V6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}),
              Address::parse("192.0.2.1"));
    EXPECT_NE(Address::parse("192.0.2.1"), Address::parse("192.0.2.2"));
}

TEST(Address, GivesItsBytesInNetworkOrder) {
    const auto v4 = *Address::parse("192.0.2.1");
    EXPECT_TRUE(v4.is_v4());
    EXPECT_EQ(std::vector<std::uint8_t>(v4.bytes().begin(), v4.bytes().end()),
              (std::vector<std::uint8_t>{192, 0, 2, 1}));
    const auto v6 = *Address::parse("2001:db8::1");
    EXPECT_FALSE(v6.is_v4());
    ASSERT_EQ(v6.bytes().size(), 16U);
    EXPECT_EQ(v6.bytes()[0], 0x20);
    EXPECT_EQ(v6.bytes()[15], 1);
}

TEST(Address, KnowsLoopback) {
    for (const char* text : {"127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"})
        EXPECT_TRUE(Address::parse(text)->is_loopback()) << text;
    for (const char* text : {"126.0.0.1", "128.0.0.1", "0.0.0.0", "::", "::2", "2001:db8::1"})
        EXPECT_FALSE(Address::parse(text)->is_loopback()) << text;
}

TEST(Network, EnclosingClearsHostBits) {
    EXPECT_EQ(Network::enclosing("192.0.2.77/24"), Network::parse("192.0.2.0/24"));
    EXPECT_EQ(Network::enclosing("2001:db8::1/48"), Network::parse("2001:db8::/48"));
    EXPECT_EQ(Network::enclosing("192.0.2.77/33"), std::nullopt);
}

TEST(Network, OfAnAddress) {
    const auto network = Network::of(*Address::parse("2001:db8:1:2:3::4"), 64);
    EXPECT_EQ(network.to_string(), "2001:db8:1:2::/64");
    EXPECT_EQ(network.prefix_length(), 64U);
    EXPECT_EQ(network.base(), *Address::parse("2001:db8:1:2::"));
    EXPECT_EQ(Network::of(*Address::parse("192.0.2.1"), 0).to_string(), "0.0.0.0/0");
}

}  // namespace
}  // namespace stanzagate::config
