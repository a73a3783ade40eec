#include "config/host_name.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "config/address.hpp"
#include "config/diagnostics.hpp"
#include "config/nearest_word.hpp"

namespace stanzagate::config {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_label_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_';
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, is_label_character);
}

bool has_bytes_outside_ascii(std::string_view text) {
    return std::ranges::any_of(text,
                               [](char c) { return (static_cast<unsigned char>(c) & 0x80U); });
}

std::string wrong_name(std::string_view text) {
    if (has_bytes_outside_ascii(text))
        return in_quotes(text) +
               ": a name with letters outside ASCII is not supported in this build";
    return in_quotes(text) + " is not a host name";
}

constexpr std::string_view upstream_forms =
    "; write tcp://HOST:PORT, starttls://HOST:PORT or tls://HOST:PORT";

std::optional<UpstreamScheme> upstream_scheme(std::string_view name) {
    if (name == "tcp") return UpstreamScheme::tcp;
    if (name == "starttls") return UpstreamScheme::starttls;
    if (name == "tls") return UpstreamScheme::tls;
    return std::nullopt;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0 || port > 65535)
        return std::nullopt;
    return static_cast<std::uint16_t>(port);
}

// Where the port's colon is: the last one, but not one inside brackets.
std::size_t port_colon(std::string_view authority) {
    const std::size_t colon = authority.rfind(':');
    const std::size_t bracket = authority.rfind(']');
    const bool inside =
        colon != std::string_view::npos && bracket != std::string_view::npos && colon < bracket;
    return inside ? std::string_view::npos : colon;
}

// The host without its brackets; nullopt where it is neither a name nor an address.
std::optional<std::string> upstream_host(std::string_view host) {
    if (host.starts_with('[') && host.ends_with(']')) {
        const std::string_view inner = host.substr(1, host.size() - 2);
        const auto address = Address::parse(inner);
        if (!address || inner.find(':') == std::string_view::npos) return std::nullopt;
        return address->to_string();
    }
    if (!is_host_name(host)) return std::nullopt;
    return ascii_lower(host);
}

}  // namespace

std::string ascii_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

bool is_host_name(std::string_view text) {
    constexpr std::size_t longest = 253;
    if (text.empty() || text.size() > longest) return false;
    std::string_view rest = text;
    std::string_view label;
    for (std::size_t dot = 0; dot != std::string_view::npos; rest.remove_prefix(dot + 1)) {
        dot = rest.find('.');
        label = rest.substr(0, dot);
        if (!is_label(label)) return false;
        if (dot == std::string_view::npos) break;
    }
    // No top-level domain is a number, so this is an IPv4 address or a mistyped one.
    if (std::ranges::all_of(label, is_digit)) return Address::parse(text).has_value();
    return true;
}

Parsed<HostPattern> parse_host_pattern(std::string_view text) {
    if (text == "*") return HostPattern{.kind = HostPattern::Kind::any, .name = {}};
    const bool wildcard = text.starts_with("*.");
    const std::string_view name = wildcard ? text.substr(2) : text;
    if (!is_host_name(name)) {
        std::string message = wrong_name(text);
        if (!has_bytes_outside_ascii(text))
            message +=
                "; write a name (\"example.org\"), all below one (\"*.example.org\") or \"*\"";
        return message;
    }
    return HostPattern{.kind = wildcard ? HostPattern::Kind::wildcard : HostPattern::Kind::exact,
                       .name = ascii_lower(name)};
}

Parsed<UpstreamAddress> parse_upstream_address(std::string_view text) {
    static const std::vector<std::string> schemes{"tcp", "starttls", "tls"};
    const auto wrong = [&](std::string_view why) {
        return in_quotes(text) + ": " + std::string(why) + std::string(upstream_forms);
    };
    const std::size_t scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos) return wrong("no scheme");
    const std::string_view scheme_name = text.substr(0, scheme_end);
    const auto scheme = upstream_scheme(ascii_lower(scheme_name));
    if (!scheme)
        return wrong("unknown scheme " + in_quotes(scheme_name)) +
               did_you_mean(scheme_name, schemes);

    const std::string_view authority = text.substr(scheme_end + 3);
    if (authority.find_first_of("/?#") != std::string_view::npos)
        return wrong("nothing may follow the port");
    const std::size_t colon = port_colon(authority);
    const std::string_view host_text = authority.substr(0, colon);
    if (host_text.find(':') != std::string_view::npos && !host_text.starts_with('['))
        return wrong("an IPv6 address needs brackets, as in tcp://[::1]:5222");
    auto host = upstream_host(host_text);
    if (!host) return wrong(in_quotes(host_text) + " is neither a host name nor an address");
    if (colon == std::string_view::npos) return wrong("no port");
    const auto port = parse_port(authority.substr(colon + 1));
    if (!port) return wrong("the port must be between 1 and 65535");
    return UpstreamAddress{.scheme = *scheme, .host = std::move(*host), .port = *port};
}

}  // namespace stanzagate::config
