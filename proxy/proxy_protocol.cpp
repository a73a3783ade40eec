#include "proxy/proxy_protocol.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace stanzagate::proxy {
namespace {

using config::Address;
using config::Endpoint;
using Header = ProxyProtocolHeader;
using NeedsMore = ProxyProtocolNeedsMore;
using Error = ProxyProtocolError;
using Result = ProxyProtocolResult;
using namespace std::string_view_literals;

// Are the bytes, as far as they go, those of `expected`?
bool may_become(std::string_view bytes, std::string_view expected) {
    const std::size_t known = std::min(bytes.size(), expected.size());
    return bytes.substr(0, known) == expected.substr(0, known);
}

// ---- Version 1: one line of text ----

constexpr std::string_view v1_tcp4 = "PROXY TCP4 ";
constexpr std::string_view v1_tcp6 = "PROXY TCP6 ";
constexpr std::string_view v1_unknown = "PROXY UNKNOWN";
constexpr std::size_t longest_v1 = 107;  // with its CRLF

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    return port;
}

// Takes what stands before the next space from `text`, the space too.
std::string_view take_word(std::string_view& text) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    return word;
}

// "192.0.2.1 192.0.2.2 54321 5222". The whole of `text`; a space too many leaves an empty word,
// which is neither an address nor a port.
Result parse_v1_endpoints(std::string_view text, bool is_v6, std::size_t size) {
    const auto parse_address = [is_v6](std::string_view word) -> std::optional<Address> {
        // By how it is written: ::ffff:192.0.2.1 is a TCP6 address, though Address folds it.
        if ((word.find(':') != std::string_view::npos) != is_v6) return std::nullopt;
        return Address::parse(word);
    };
    const auto source = parse_address(take_word(text));
    const auto destination = parse_address(take_word(text));
    if (!source || !destination) return Error{"no address of the family that was announced"};
    const auto source_port = parse_port(take_word(text));
    const auto destination_port = parse_port(text);  // all that is left, so nothing may follow
    if (!source_port || !destination_port) return Error{"no port number"};
    return Header{Header::Kind::proxied, Endpoint{*source, *source_port},
                  Endpoint{*destination, *destination_port}, size};
}

bool is_v1_unknown(std::string_view bytes) {
    if (!may_become(bytes, v1_unknown)) return false;
    const std::string_view rest = bytes.substr(std::min(bytes.size(), v1_unknown.size()));
    return rest.empty() || rest.front() == ' ' || rest.front() == '\r';
}

Result parse_v1(std::string_view bytes) {
    const bool is_tcp4 = may_become(bytes, v1_tcp4);
    const bool is_tcp6 = may_become(bytes, v1_tcp6);
    if (!is_tcp4 && !is_tcp6 && !is_v1_unknown(bytes))
        return Error{"neither TCP4, TCP6 nor UNKNOWN"};

    // CRLF is the last thing that fits in the longest line.
    const std::size_t end = bytes.substr(0, longest_v1 - 1).find('\r');
    if (end == std::string_view::npos)
        return bytes.size() < longest_v1 - 1 ? Result(NeedsMore{}) : Error{"longer than 107 bytes"};
    if (end + 1 == bytes.size()) return NeedsMore{};
    if (bytes[end + 1] != '\n') return Error{"CR without LF"};

    const std::string_view line = bytes.substr(0, end);
    const std::size_t size = end + 2;
    if (is_tcp4) return parse_v1_endpoints(line.substr(v1_tcp4.size()), false, size);
    if (is_tcp6) return parse_v1_endpoints(line.substr(v1_tcp6.size()), true, size);
    // Whatever else the line says is to be ignored (proxy-protocol.txt, section 2.1).
    return Header{Header::Kind::unknown, std::nullopt, std::nullopt, size};
}

// ---- Version 2: binary ----

constexpr std::string_view v2_signature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t v2_fixed = 16;  // signature, version and command, family, length
constexpr std::uint8_t v2_local = 0x20;
constexpr std::uint8_t v2_proxy = 0x21;
constexpr std::uint8_t v2_unspecified = 0x00;
constexpr std::uint8_t v2_tcp4 = 0x11;
constexpr std::uint8_t v2_tcp6 = 0x21;
constexpr std::uint8_t tlv_crc32c = 0x03;
constexpr std::size_t crc_bytes = 4;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint8_t>(bytes[at]);
}

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}

constexpr std::array<std::uint32_t, 256> make_crc32c_table() {
    constexpr std::uint32_t polynomial = 0x82f63b78;  // Castagnoli, reflected
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value & 1U) != 0 ? value >> 1U ^ polynomial : value >> 1U;
        table[i] = value;
    }
    return table;
}

// Of the whole header, with the field that holds the sum taken as zero.
std::uint32_t crc32c(std::string_view header, std::size_t field) {
    static constexpr std::array<std::uint32_t, 256> table = make_crc32c_table();
    std::uint32_t sum = 0xffffffff;
    for (std::size_t i = 0; i < header.size(); ++i) {
        const std::uint8_t byte = i - field < crc_bytes ? 0 : byte_at(header, i);
        sum = sum >> 8U ^ table[(sum ^ byte) & 0xffU];
    }
    return ~sum;
}

// What is wrong with the TLVs, which go from `at` to the end of the header; "" where nothing is.
std::string_view check_tlvs(std::string_view header, std::size_t at) {
    constexpr std::size_t head = 3;  // type and length
    std::size_t crc_field = 0;       // none seen: no field begins there
    while (at < header.size()) {
        if (header.size() - at < head) return "half a TLV";
        const std::uint8_t type = byte_at(header, at);
        const std::size_t length = number_at(header, at + 1);
        at += head;
        if (length > header.size() - at) return "a TLV longer than the header";
        if (type == tlv_crc32c) {
            if (length != crc_bytes) return "a CRC32C that is not 4 bytes";
            if (crc_field != 0) return "two CRC32Cs";
            crc_field = at;
        }
        at += length;
    }
    if (crc_field == 0) return {};
    const std::uint32_t claimed =
        std::uint32_t{number_at(header, crc_field)} << 16U | number_at(header, crc_field + 2);
    return crc32c(header, crc_field) == claimed ? std::string_view() : "wrong CRC32C";
}

// The endpoints that stand at the beginning of `text`, and how many bytes they take.
template <class Bytes>
Header read_endpoints(std::string_view text) {
    constexpr std::size_t address_size = std::tuple_size_v<Bytes>;
    const auto address_at = [text](std::size_t at) {
        Bytes bytes{};
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = byte_at(text, at + i);
        return Address::from(bytes);
    };
    return {Header::Kind::proxied, Endpoint{address_at(0), number_at(text, 2 * address_size)},
            Endpoint{address_at(address_size), number_at(text, 2 * address_size + 2)}, 0};
}

Result parse_v2(std::string_view bytes) {
    if (!may_become(bytes, v2_signature)) return Error{"broken signature"};
    if (bytes.size() <= 12) return NeedsMore{};
    const std::uint8_t command = byte_at(bytes, 12);
    if (command != v2_local && command != v2_proxy) return Error{"unknown version or command"};

    // LOCAL: its family means nothing, and receivers must not look at it.
    const bool is_local = command == v2_local;
    if (bytes.size() <= 13) return NeedsMore{};
    const std::uint8_t family = byte_at(bytes, 13);
    if (!is_local && family != v2_unspecified && family != v2_tcp4 && family != v2_tcp6)
        return Error{"neither TCP over IPv4 nor over IPv6"};

    if (bytes.size() < v2_fixed) return NeedsMore{};
    const std::size_t size = v2_fixed + number_at(bytes, 14);
    if (size > max_proxy_header_bytes) return Error{"longer than 4096 bytes"};
    const bool has_addresses = !is_local && family != v2_unspecified;
    const std::size_t addresses = !has_addresses ? 0 : family == v2_tcp4 ? 12 : 36;
    if (size < v2_fixed + addresses) return Error{"too short for its addresses"};
    if (bytes.size() < size) return NeedsMore{};
    // What follows UNSPEC is undefined, so it is skipped like LOCAL's.
    if (!has_addresses)
        return Header{is_local ? Header::Kind::local : Header::Kind::unknown, std::nullopt,
                      std::nullopt, size};

    const std::string_view header = bytes.substr(0, size);
    if (const std::string_view wrong = check_tlvs(header, v2_fixed + addresses); !wrong.empty())
        return Error{wrong};
    Header result = family == v2_tcp4 ? read_endpoints<Address::V4>(header.substr(v2_fixed))
                                      : read_endpoints<Address::V6>(header.substr(v2_fixed));
    result.size = size;
    return result;
}

// ---- Writing ----

bool both_v4(const Endpoint& source, const Endpoint& destination) {
    return source.address.is_v4() && destination.address.is_v4();
}

std::string text_of(const Address& address, bool as_v6) {
    return (as_v6 && address.is_v4() ? "::ffff:" : "") + address.to_string();
}

void append_number(std::string& out, std::size_t number) {
    out += static_cast<char>(number >> 8U & 0xffU);
    out += static_cast<char>(number & 0xffU);
}

void append_address(std::string& out, const Address& address, bool as_v6) {
    if (as_v6 && address.is_v4()) out += "\0\0\0\0\0\0\0\0\0\0\xff\xff"sv;
    for (const std::uint8_t byte : address.bytes()) out += static_cast<char>(byte);
}

}  // namespace

ProxyProtocolResult parse_proxy_header(std::string_view bytes) {
    if (bytes.empty()) return NeedsMore{};
    if (bytes.front() == v1_tcp4.front()) return parse_v1(bytes);
    if (bytes.front() == v2_signature.front()) return parse_v2(bytes);
    return Error{"no PROXY header"};
}

std::string proxy_header_v1(const Endpoint& source, const Endpoint& destination) {
    const bool v6 = !both_v4(source, destination);
    std::string out(v6 ? v1_tcp6 : v1_tcp4);
    out += text_of(source.address, v6) + ' ' + text_of(destination.address, v6) + ' ';
    out += std::to_string(source.port) + ' ' + std::to_string(destination.port) + "\r\n";
    return out;
}

std::string proxy_header_v2(const Endpoint& source, const Endpoint& destination) {
    const bool v6 = !both_v4(source, destination);
    std::string out(v2_signature);
    out += static_cast<char>(v2_proxy);
    out += static_cast<char>(v6 ? v2_tcp6 : v2_tcp4);
    append_number(out, v6 ? 36 : 12);
    append_address(out, source.address, v6);
    append_address(out, destination.address, v6);
    append_number(out, source.port);
    append_number(out, destination.port);
    return out;
}

}  // namespace stanzagate::proxy
