#include "proxy/proxy_protocol.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <vector>

namespace stanzagate::proxy {
namespace {

using config::Address;
using config::Endpoint;
using Header = ProxyProtocolHeader;
using NeedsMore = ProxyProtocolNeedsMore;
using Error = ProxyProtocolError;
using Kind = Header::Kind;
using namespace std::string_literals;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string two_bytes(std::size_t number) {
    return {static_cast<char>(number >> 8U), static_cast<char>(number & 0xffU)};
}

std::string v2(std::uint8_t command, std::uint8_t family, const std::string& rest) {
    return signature + static_cast<char>(command) + static_cast<char>(family) +
           two_bytes(rest.size()) + rest;
}

std::string tlv(std::uint8_t type, const std::string& value) {
    return static_cast<char>(type) + two_bytes(value.size()) + value;
}

// 198.51.100.7:54321 to 192.0.2.1:5222, as in the specification's example.
const std::string v4_block = "\xc6\x33\x64\x07\xc0\x00\x02\x01\xd4\x31\x14\x66"s;
// [2001:db8::1]:54321 to [2001:db8::2]:5222.
const std::string v6_block =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\xd4\x31\x14\x66"s;

Endpoint endpoint(std::string_view text) {
    return Endpoint::parse(text).value();
}

Header proxied(std::string_view source, std::string_view destination, std::size_t size) {
    return {Kind::proxied, endpoint(source), endpoint(destination), size};
}

Header without_addresses(Kind kind, std::size_t size) {
    return {kind, std::nullopt, std::nullopt, size};
}

// The bitwise definition, to check the parser's table against.
std::uint32_t crc32c(std::string_view bytes) {
    std::uint32_t sum = 0xffffffff;
    for (const char c : bytes) {
        sum ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) sum = sum >> 1U ^ ((sum & 1U) != 0 ? 0x82f63b78U : 0U);
    }
    return ~sum;
}

// A TCP4 header with a checksum between two other TLVs.
std::string with_crc(std::uint32_t flipped_bits) {
    const std::string before = tlv(0x02, "example.org");
    std::string header =
        v2(0x21, 0x11, v4_block + before + tlv(0x03, "\0\0\0\0"s) + tlv(0x04, "x"));
    const std::size_t field = 16 + v4_block.size() + before.size() + 3;
    const std::uint32_t sum = crc32c(header) ^ flipped_bits;
    header.replace(field, 4, two_bytes(sum >> 16U) + two_bytes(sum & 0xffffU));
    return header;
}

struct Good {
    const char* name;
    std::string bytes;
    Header header;
};

class ProxyHeaderGood : public ::testing::TestWithParam<Good> {};

TEST_P(ProxyHeaderGood, IsReadFromItsLastByteOn) {
    const auto& [name, all, header] = GetParam();
    const std::string_view bytes = all;
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_EQ(parse_proxy_header(bytes.substr(0, size)), ProxyProtocolResult(NeedsMore{}))
            << size;
    EXPECT_EQ(header.size, bytes.size());
    EXPECT_EQ(parse_proxy_header(bytes), ProxyProtocolResult(header));
}

TEST_P(ProxyHeaderGood, LeavesWhatFollows) {
    const auto& [name, bytes, header] = GetParam();
    for (const std::string& after : {"<"s, "\r\n"s, bytes, "\x16\x03\x01"s, std::string(5000, 'x')})
        EXPECT_EQ(parse_proxy_header(bytes + after), ProxyProtocolResult(header));
}

const std::string longest_tcp6 =
    "PROXY TCP6 2001:0db8:ffff:ffff:ffff:ffff:ffff:ffff "
    "2001:0db8:ffff:ffff:ffff:ffff:ffff:fffe 65535 65534\r\n";
const std::string longest_unknown = "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n";
const std::string many_tlvs = v4_block + tlv(0x01, "xmpp-client") + tlv(0x05, "") +
                              tlv(0xea, std::string(300, '\xff')) + tlv(0x04, std::string(3, '\0'));
const std::string longest_v2 = v4_block + tlv(0x04, std::string(4096 - 16 - 12 - 3, 'x'));

INSTANTIATE_TEST_SUITE_P(
    , ProxyHeaderGood,
    ::testing::Values(
        Good{"v1_tcp4", "PROXY TCP4 198.51.100.7 192.0.2.1 54321 5222\r\n",
             proxied("198.51.100.7:54321", "192.0.2.1:5222", 46)},
        Good{"v1_tcp6", "PROXY TCP6 2001:db8::1 2001:db8::2 54321 5222\r\n",
             proxied("[2001:db8::1]:54321", "[2001:db8::2]:5222", 47)},
        Good{"v1_tcp6_mapped", "PROXY TCP6 ::ffff:198.51.100.7 ::ffff:192.0.2.1 54321 5222\r\n",
             proxied("198.51.100.7:54321", "192.0.2.1:5222", 60)},
        Good{"v1_longest_addresses", longest_tcp6,
             proxied("[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
                     "[2001:db8:ffff:ffff:ffff:ffff:ffff:fffe]:65534", longest_tcp6.size())},
        Good{"v1_ports_0", "PROXY TCP4 1.2.3.4 5.6.7.8 0 0\r\n",
             proxied("1.2.3.4:0", "5.6.7.8:0", 32)},
        Good{"v1_unknown", "PROXY UNKNOWN\r\n", without_addresses(Kind::unknown, 15)},
        Good{"v1_unknown_with_more", "PROXY UNKNOWN ffff::1 ffff::2 1 2 \n3\r\n",
             without_addresses(Kind::unknown, 38)},
        Good{"v1_longest", longest_unknown, without_addresses(Kind::unknown, 107)},
        Good{"v2_tcp4", v2(0x21, 0x11, v4_block),
             proxied("198.51.100.7:54321", "192.0.2.1:5222", 28)},
        Good{"v2_tcp6", v2(0x21, 0x21, v6_block),
             proxied("[2001:db8::1]:54321", "[2001:db8::2]:5222", 52)},
        Good{"v2_tcp6_mapped",
             v2(0x21, 0x21,
                "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x07"
                "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01\xd4\x31\x14\x66"s),
             proxied("198.51.100.7:54321", "192.0.2.1:5222", 52)},
        Good{"v2_tlvs", v2(0x21, 0x11, many_tlvs),
             proxied("198.51.100.7:54321", "192.0.2.1:5222", 16 + many_tlvs.size())},
        Good{"v2_crc", with_crc(0),
             proxied("198.51.100.7:54321", "192.0.2.1:5222", with_crc(0).size())},
        Good{"v2_longest", v2(0x21, 0x11, longest_v2),
             proxied("198.51.100.7:54321", "192.0.2.1:5222", 4096)},
        Good{"v2_local", v2(0x20, 0x00, ""), without_addresses(Kind::local, 16)},
        Good{"v2_local_with_block", v2(0x20, 0x11, v4_block), without_addresses(Kind::local, 28)},
        Good{"v2_local_unread", v2(0x20, 0x31, "\x03\xff\xff..."),
             without_addresses(Kind::local, 22)},
        Good{"v2_unspecified", v2(0x21, 0x00, ""), without_addresses(Kind::unknown, 16)},
        Good{"v2_unspecified_unread", v2(0x21, 0x00, "\x03\xff\xff..."),
             without_addresses(Kind::unknown, 22)}),
    [](const auto& test) { return test.param.name; });

struct Bad {
    const char* name;
    std::string bytes;
    std::size_t refused_at;  // how many bytes it takes to know
    const char* reason;
};

class ProxyHeaderBad : public ::testing::TestWithParam<Bad> {};

TEST_P(ProxyHeaderBad, IsRefusedAsEarlyAsCanBe) {
    const auto& [name, all, refused_at, reason] = GetParam();
    const std::string_view bytes = all;
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        const auto expected = size < refused_at ? ProxyProtocolResult(NeedsMore{}) : Error{reason};
        EXPECT_EQ(parse_proxy_header(bytes.substr(0, size)), expected) << size;
    }
}

Bad bad_v1(const char* name, const std::string& rest, const char* reason) {
    const std::string bytes = "PROXY TCP" + rest + "\r\n";
    return {name, bytes, bytes.size(), reason};
}

Bad bad_tlv(const char* name, const std::string& tlvs, const char* reason) {
    const std::string bytes = v2(0x21, 0x11, v4_block + tlvs);
    return {name, bytes, bytes.size(), reason};
}

constexpr const char* no_address = "no address of the family that was announced";
constexpr const char* no_port = "no port number";
constexpr const char* no_family = "neither TCP4, TCP6 nor UNKNOWN";
constexpr const char* not_tcp = "neither TCP over IPv4 nor over IPv6";

INSTANTIATE_TEST_SUITE_P(
    Start, ProxyHeaderBad,
    ::testing::Values(Bad{"xml", "<?xml version='1.0'?>", 1, "no PROXY header"},
                      Bad{"tls", "\x16\x03\x01\x02", 1, "no PROXY header"},
                      Bad{"line_feed", "\nPROXY", 1, "no PROXY header"},
                      Bad{"lower_case", "proxy TCP4 ", 1, "no PROXY header"},
                      Bad{"http", "POST / HTTP/1.1", 2, no_family},
                      Bad{"v1_udp", "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", 8, no_family},
                      Bad{"v1_two_spaces", "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n", 7, no_family},
                      Bad{"v1_tcp5", "PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n", 10, no_family},
                      Bad{"v1_tcp4_alone", "PROXY TCP4\r\n", 11, no_family},
                      Bad{"v1_unknown_longer", "PROXY UNKNOWNS\r\n", 14, no_family},
                      Bad{"v2_signature", "\r\n\r\n\0\r\nQUIT\r\n"s, 12, "broken signature"},
                      Bad{"v2_empty_line", "\r\n<stream:stream>", 3, "broken signature"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Version1, ProxyHeaderBad,
    ::testing::Values(
        bad_v1("two_spaces", "4 1.2.3.4  5.6.7.8 1 2", no_address),
        bad_v1("space_before", "4  1.2.3.4 5.6.7.8 1 2", no_address),
        bad_v1("space_after", "4 1.2.3.4 5.6.7.8 1 2 ", no_port),
        bad_v1("tab", "4 1.2.3.4\t5.6.7.8 1 2", no_address),
        bad_v1("v6_in_tcp4", "4 2001:db8::1 2001:db8::2 1 2", no_address),
        bad_v1("mapped_in_tcp4", "4 ::ffff:1.2.3.4 ::ffff:5.6.7.8 1 2", no_address),
        bad_v1("v4_in_tcp6", "6 1.2.3.4 5.6.7.8 1 2", no_address),
        bad_v1("mixed", "6 2001:db8::1 5.6.7.8 1 2", no_address),
        bad_v1("leading_zero_in_address", "4 1.2.3.04 5.6.7.8 1 2", no_address),
        bad_v1("three_numbers", "4 1.2.3 5.6.7.8 1 2", no_address),
        bad_v1("zone", "6 fe80::1%eth0 fe80::2 1 2", no_address),
        bad_v1("brackets", "6 [2001:db8::1] 2001:db8::2 1 2", no_address),
        bad_v1("zero_byte", "4 1.2.3.4\0 5.6.7.8 1 2"s, no_address),
        bad_v1("leading_zero", "4 1.2.3.4 5.6.7.8 01 2", no_port),
        bad_v1("two_zeros", "4 1.2.3.4 5.6.7.8 00 2", no_port),
        bad_v1("port_65536", "4 1.2.3.4 5.6.7.8 65536 2", no_port),
        bad_v1("second_port_65536", "4 1.2.3.4 5.6.7.8 1 65536", no_port),
        bad_v1("plus", "4 1.2.3.4 5.6.7.8 +1 2", no_port),
        bad_v1("minus", "4 1.2.3.4 5.6.7.8 -1 2", no_port),
        bad_v1("hexadecimal", "4 1.2.3.4 5.6.7.8 0x1 2", no_port),
        bad_v1("no_ports", "4 1.2.3.4 5.6.7.8", no_port),
        bad_v1("no_second_port", "4 1.2.3.4 5.6.7.8 1", no_port),
        bad_v1("five_words", "4 1.2.3.4 5.6.7.8 1 2 3", no_port),
        bad_v1("nothing", "4 ", no_address),
        bad_v1("line_feed_first", "4 1.2.3.4 5.6.7.8 1 2\n", no_port),
        Bad{"cr_without_lf", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\rx", 32, "CR without LF"},
        Bad{"two_crs", "PROXY UNKNOWN\r\r\n", 15, "CR without LF"},
        Bad{"too_long", "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n", 106,
            "longer than 107 bytes"},
        Bad{"endless", "PROXY TCP4 " + std::string(2000, '1'), 106, "longer than 107 bytes"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Version2, ProxyHeaderBad,
    ::testing::Values(
        Bad{"version_1", v2(0x11, 0x11, v4_block), 13, "unknown version or command"},
        Bad{"version_3", v2(0x31, 0x11, v4_block), 13, "unknown version or command"},
        Bad{"command_2", v2(0x22, 0x11, v4_block), 13, "unknown version or command"},
        Bad{"udp4", v2(0x21, 0x12, v4_block), 14, not_tcp},
        Bad{"udp6", v2(0x21, 0x22, v6_block), 14, not_tcp},
        Bad{"unix", v2(0x21, 0x31, std::string(216, 'x')), 14, not_tcp},
        Bad{"family_without_protocol", v2(0x21, 0x10, v4_block), 14, not_tcp},
        Bad{"protocol_without_family", v2(0x21, 0x01, v4_block), 14, not_tcp},
        Bad{"short_tcp4", v2(0x21, 0x11, v4_block.substr(1)), 16, "too short for its addresses"},
        Bad{"short_tcp6", v2(0x21, 0x21, v6_block.substr(1)), 16, "too short for its addresses"},
        Bad{"empty_tcp4", v2(0x21, 0x11, ""), 16, "too short for its addresses"},
        Bad{"too_long", v2(0x21, 0x11, longest_v2 + "x"), 16, "longer than 4096 bytes"},
        Bad{"too_long_local", v2(0x20, 0x00, std::string(65535, 'x')), 16,
            "longer than 4096 bytes"},
        bad_tlv("one_byte", "\x04", "half a TLV"), bad_tlv("two_bytes", "\x04\0"s, "half a TLV"),
        bad_tlv("half_after_whole", tlv(0x04, "x") + "\x04", "half a TLV"),
        bad_tlv("tlv_too_long", "\x04\x00\x02x"s, "a TLV longer than the header"),
        bad_tlv("tlv_far_too_long", "\x04\xff\xff", "a TLV longer than the header"),
        bad_tlv("crc_of_3_bytes", tlv(0x03, "xxx"), "a CRC32C that is not 4 bytes"),
        bad_tlv("crc_of_5_bytes", tlv(0x03, "xxxxx"), "a CRC32C that is not 4 bytes"),
        bad_tlv("two_crcs", tlv(0x03, "xxxx") + tlv(0x03, "xxxx"), "two CRC32Cs"),
        bad_tlv("zero_crc", tlv(0x03, "\0\0\0\0"s), "wrong CRC32C"),
        Bad{"crc_first_bit", with_crc(0x80000000), with_crc(0).size(), "wrong CRC32C"},
        Bad{"crc_last_bit", with_crc(1), with_crc(0).size(), "wrong CRC32C"}),
    [](const auto& test) { return test.param.name; });

TEST(ProxyHeader, ACrcGuardsEveryByte) {
    const std::string good = with_crc(0);
    const std::size_t its_type = good.find("\x03\0\x04"s);
    for (std::size_t i = 0; i < good.size(); ++i) {
        if (i == its_type) continue;  // then it is no CRC any more
        std::string broken = good;
        broken[i] = static_cast<char>(broken[i] ^ 0x40);
        EXPECT_FALSE(std::holds_alternative<Header>(parse_proxy_header(broken))) << i;
    }
}

TEST(ProxyHeader, IsWrittenAsTheSpecificationSays) {
    const Endpoint client = endpoint("198.51.100.7:54321");
    const Endpoint gate = endpoint("192.0.2.1:5222");
    EXPECT_EQ(proxy_header_v1(client, gate), "PROXY TCP4 198.51.100.7 192.0.2.1 54321 5222\r\n");
    EXPECT_EQ(proxy_header_v2(client, gate), v2(0x21, 0x11, v4_block));

    const Endpoint client6 = endpoint("[2001:db8::1]:54321");
    const Endpoint gate6 = endpoint("[2001:db8::2]:5222");
    EXPECT_EQ(proxy_header_v1(client6, gate6), "PROXY TCP6 2001:db8::1 2001:db8::2 54321 5222\r\n");
    EXPECT_EQ(proxy_header_v2(client6, gate6), v2(0x21, 0x21, v6_block));
}

TEST(ProxyHeader, HasOneFamilyForBothEnds) {
    const Endpoint v4 = endpoint("198.51.100.7:54321");
    const Endpoint v6 = endpoint("[2001:db8::2]:5222");
    EXPECT_EQ(proxy_header_v1(v4, v6), "PROXY TCP6 ::ffff:198.51.100.7 2001:db8::2 54321 5222\r\n");
    EXPECT_EQ(proxy_header_v1(v6, v4), "PROXY TCP6 2001:db8::2 ::ffff:198.51.100.7 5222 54321\r\n");
    EXPECT_EQ(
        proxy_header_v2(v4, v6),
        v2(0x21, 0x21, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x07"s + v6_block.substr(16)));
}

Endpoint random_endpoint(std::mt19937& random) {
    const auto number = [&random](unsigned most) {
        return std::uniform_int_distribution<unsigned>(0, most)(random);
    };
    const auto port = static_cast<std::uint16_t>(number(65535));
    if (number(1) == 0) {
        Address::V4 bytes{};
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(number(255));
        return {Address::from(bytes), port};
    }
    Address::V6 bytes{};
    for (auto& byte : bytes) byte = number(1) == 0 ? 0 : static_cast<std::uint8_t>(number(255));
    return {Address::from(bytes), port};
}

TEST(ProxyHeader, ComesBackAsItWasWritten) {
    std::mt19937 random(20300101);  // NOLINT(bugprone-random-generator-seed): the same each time
    for (int i = 0; i < 2000; ++i) {
        const Endpoint source = random_endpoint(random);
        const Endpoint destination = random_endpoint(random);
        for (const auto& bytes :
             {proxy_header_v1(source, destination), proxy_header_v2(source, destination)}) {
            const Header expected{Kind::proxied, source, destination, bytes.size()};
            ASSERT_EQ(parse_proxy_header(bytes + "<"), ProxyProtocolResult(expected)) << bytes;
        }
    }
}

}  // namespace
}  // namespace stanzagate::proxy
