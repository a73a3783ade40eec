#include "config/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>

namespace stanzagate::config {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned mapped_bits = 96;

// Digits only, without leading zeros.
std::optional<unsigned> parse_number(std::string_view text, unsigned largest) {
    if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0'))
        return std::nullopt;
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number > largest)
        return std::nullopt;
    return number;
}

Address::V6 masked(Address::V6 bytes, unsigned kept_bits) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const unsigned from = static_cast<unsigned>(i) * 8;
        const unsigned kept = kept_bits > from ? std::min(kept_bits - from, 8U) : 0;
        bytes[i] &= static_cast<std::uint8_t>(0xff00U >> kept);
    }
    return bytes;
}

Address::V6 mapped(const Address& address) {
    Address::V6 bytes{};
    if (address.is_v4()) std::ranges::copy(mapped_prefix, bytes.begin());
    std::ranges::copy_backward(address.bytes(), bytes.end());
    return bytes;
}

// "2:3" for ::2:3, where that is the whole address; nullopt for all others.
std::optional<std::string> compatible_tail(std::span<const std::uint8_t> bytes) {
    if (bytes.size() != 16) return std::nullopt;
    const auto group = [&](std::size_t at) { return bytes[at] * 256 + bytes[at + 1]; };
    for (std::size_t at = 0; at < 12; at += 2)
        if (group(at) != 0) return std::nullopt;
    if (group(12) == 0) return std::nullopt;
    std::array<char, 10> text{};
    std::snprintf(text.data(), text.size(), "%x:%x", group(12), group(14));
    return text.data();
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
    // inet_pton wants a terminated string, and would not see what follows a zero byte.
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos)
        return std::nullopt;
    std::ranges::copy(text, terminated.begin());
    // A colon is in every IPv6 address and in no IPv4 address.
    if (text.find(':') == std::string_view::npos) {
        V4 v4{};
        if (inet_pton(AF_INET, terminated.data(), v4.data()) != 1) return std::nullopt;
        return from(v4);
    }
    V6 v6{};
    if (inet_pton(AF_INET6, terminated.data(), v6.data()) != 1) return std::nullopt;
    return from(v6);
}

Address Address::from(const V4& bytes) {
    Address address;
    std::ranges::copy(mapped_prefix, address.bytes_.begin());
    std::ranges::copy_backward(bytes, address.bytes_.end());
    return address;
}

Address Address::from(const V6& bytes) {
    Address address;
    address.bytes_ = bytes;
    return address;
}

bool Address::is_v4() const {
    return std::ranges::equal(std::span(bytes_).first<mapped_prefix.size()>(), mapped_prefix);
}

bool Address::stands_for_all() const {
    return std::ranges::all_of(bytes(), [](std::uint8_t byte) { return byte == 0; });
}

std::span<const std::uint8_t> Address::bytes() const {
    return is_v4() ? std::span(bytes_).subspan(mapped_prefix.size()) : std::span(bytes_);
}

bool Address::is_loopback() const {
    if (is_v4()) return bytes().front() == 127;
    V6 one{};
    one.back() = 1;
    return bytes_ == one;
}

std::string Address::to_string() const {
    // inet_ntop() writes what is left of "IPv4-compatible" addresses, ::/96, as "::0.2.0.3".
    if (const auto tail = compatible_tail(bytes())) return "::" + *tail;
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes().data(), text.data(), text.size());
    return text.data();
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const auto port = parse_number(text.substr(colon + 1), 65535);

    // Brackets around IPv6, and around nothing else: "::1:5222" can be read in two ways.
    const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;

    const auto address = Address::parse(host);
    if (!address || !port) return std::nullopt;
    return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

std::string Endpoint::to_string() const {
    const std::string host = address.to_string();
    return (address.is_v4() ? host : '[' + host + ']') + ':' + std::to_string(port);
}

bool overlap(const Endpoint& one, const Endpoint& other) {
    if (one.port != other.port || one.address.is_v4() != other.address.is_v4()) return false;
    return one.address == other.address || one.address.stands_for_all() ||
           other.address.stands_for_all();
}

std::optional<Network> Network::parse(std::string_view text) {
    const auto network = enclosing(text);
    const std::size_t slash = text.find('/');
    if (!network || slash == std::string_view::npos) return network;
    const auto address = Address::parse(text.substr(0, slash));
    if (address != network->base_) return std::nullopt;  // host bits are set
    return network;
}

std::optional<Network> Network::enclosing(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view host = text.substr(0, slash);
    const auto address = Address::parse(host);
    if (!address) return std::nullopt;
    if (slash == std::string_view::npos) return of(*address, address->is_v4() ? 32 : 128);

    // The length was written for the form the address was written in.
    const bool written_as_v6 = host.find(':') != std::string_view::npos;
    auto length = parse_number(text.substr(slash + 1), written_as_v6 ? 128 : 32);
    if (!length) return std::nullopt;
    if (written_as_v6 && address->is_v4()) {
        if (*length < mapped_bits) return std::nullopt;
        *length -= mapped_bits;
    }
    return of(*address, *length);
}

Network Network::of(const Address& address, unsigned prefix_length) {
    const unsigned kept = address.is_v4() ? mapped_bits + prefix_length : prefix_length;
    Network network;
    network.base_ = Address::from(masked(mapped(address), kept));
    network.prefix_length_ = prefix_length;
    return network;
}

bool Network::contains(const Address& address) const {
    if (address.is_v4() != base_.is_v4()) return false;
    return of(address, prefix_length_).base_ == base_;
}

std::string Network::to_string() const {
    const unsigned longest = base_.is_v4() ? 32 : 128;
    if (prefix_length_ == longest) return base_.to_string();
    return base_.to_string() + '/' + std::to_string(prefix_length_);
}

}  // namespace stanzagate::config
