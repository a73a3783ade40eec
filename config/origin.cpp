#include "config/origin.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "config/address.hpp"

namespace stanzagate::config {
namespace {

struct Origin {
    std::string scheme;  // this and the host in lower case
    std::string host;
    std::optional<std::uint16_t> port;  // none: the scheme's own

    bool operator==(const Origin&) const = default;
};

// More is no name of a host, and not worth looking at.
constexpr std::size_t longest_origin = 1000;

bool is_ascii_letter(char c) {
    return c >= 'a' && c <= 'z';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string in_lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

bool is_scheme(std::string_view text) {
    return !text.empty() && is_ascii_letter(text[0]) && std::ranges::all_of(text, [](char c) {
        return is_ascii_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    });
}

bool is_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return is_ascii_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
    });
}

// "[2001:db8::1]" in the one form that browsers send (RFC 5952), nullopt where it is none.
std::optional<std::string> v6_in_brackets(std::string_view text) {
    if (text.size() < 4 || text.front() != '[' || text.back() != ']') return std::nullopt;
    const std::string_view inside = text.substr(1, text.size() - 2);
    const auto address = Address::parse(inside);
    if (!address || inside.find(':') == std::string_view::npos) return std::nullopt;
    return '[' + address->to_string() + ']';
}

std::optional<std::uint16_t> port_of(std::string_view text) {
    if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

std::optional<std::uint16_t> own_port(std::string_view scheme) {
    constexpr std::array<std::pair<std::string_view, std::uint16_t>, 4> ports{
        {{"http", 80}, {"https", 443}, {"ws", 80}, {"wss", 443}}};
    for (const auto& [name, port] : ports)
        if (scheme == name) return port;
    return std::nullopt;
}

std::optional<Origin> parse(std::string_view written) {
    if (written.size() > longest_origin) return std::nullopt;
    const std::string text = in_lower_case(written);
    constexpr std::string_view mark = "://";
    const std::size_t end_of_scheme = text.find(mark);
    if (end_of_scheme == std::string::npos) return std::nullopt;
    Origin origin{.scheme = text.substr(0, end_of_scheme),
                  .host = text.substr(end_of_scheme + mark.size()),
                  .port = {}};
    const std::size_t colon = origin.host.rfind(':');
    if (colon != std::string::npos && !origin.host.ends_with(']')) {
        origin.port = port_of(std::string_view(origin.host).substr(colon + 1));
        if (!origin.port) return std::nullopt;
        if (origin.port == own_port(origin.scheme)) origin.port.reset();
        origin.host.resize(colon);
    }
    if (!is_scheme(origin.scheme)) return std::nullopt;
    if (is_name(origin.host)) return origin;
    auto v6 = v6_in_brackets(origin.host);
    if (!v6) return std::nullopt;
    origin.host = *std::move(v6);
    return origin;
}

}  // namespace

bool is_origin(std::string_view text) {
    return parse(text).has_value();
}

bool origin_allowed(std::span<const std::string> allowed, std::string_view origin) {
    if (std::ranges::find(allowed, "*") != allowed.end()) return true;
    const auto page = parse(origin);
    return page && std::ranges::any_of(
                       allowed, [&](const std::string& entry) { return parse(entry) == page; });
}

}  // namespace stanzagate::config
