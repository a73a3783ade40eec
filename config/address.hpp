#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace stanzagate::config {

// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address is folded to IPv4 when it is made, so equal
// addresses are equal however they were written. No zone ids.
class Address {
public:
    using V4 = std::array<std::uint8_t, 4>;
    using V6 = std::array<std::uint8_t, 16>;

    static std::optional<Address> parse(std::string_view text);
    static Address from(const V4& bytes);
    static Address from(const V6& bytes);

    bool is_v4() const;
    // 4 or 16 bytes in network order. The view lives as long as this object.
    std::span<const std::uint8_t> bytes() const;
    // 0.0.0.0 or ::, to whoever listens there.
    bool stands_for_all() const;
    bool is_loopback() const;
    // RFC 5952 form.
    std::string to_string() const;

    auto operator<=>(const Address&) const = default;

private:
    V6 bytes_{};  // IPv4 is kept in its mapped form, ::ffff:a.b.c.d
};

// An address and a port.
struct Endpoint {
    Address address = Address::from(Address::V4{});
    std::uint16_t port = 0;

    // "192.0.2.1:5222", "[2001:db8::1]:5222"; the port is required. nullopt where it is neither.
    static std::optional<Endpoint> parse(std::string_view text);
    std::string to_string() const;

    auto operator<=>(const Endpoint&) const = default;
};

// Whether nobody can listen at both: they are the same, or one is every address of this machine.
// [::] is IPv6 alone.
bool overlap(const Endpoint& one, const Endpoint& other);

// A network in CIDR notation, or one address.
class Network {
public:
    // "192.0.2.0/24", "2001:db8::/32", "192.0.2.1". Host bits must be zero ("192.0.2.1/24" is
    // refused: it is more likely a typo than a wish). nullopt where it is no network.
    static std::optional<Network> parse(std::string_view text);
    // The same, but host bits are cleared: the network that "192.0.2.1/24" probably meant.
    static std::optional<Network> enclosing(std::string_view text);
    // The network of that many leading bits in which the address lies; at most 32 bits for IPv4.
    static Network of(const Address& address, unsigned prefix_length);

    // An IPv4 network holds IPv4 addresses only, an IPv6 network IPv6 only.
    bool contains(const Address& address) const;
    const Address& base() const { return base_; }
    // Bits of the prefix: 0..32 for IPv4, 0..128 for IPv6.
    unsigned prefix_length() const { return prefix_length_; }
    // CIDR notation; a network of one address is written as that address.
    std::string to_string() const;

    auto operator<=>(const Network&) const = default;

private:
    Address base_ = Address::from(Address::V4{});
    unsigned prefix_length_ = 0;
};

}  // namespace stanzagate::config
