#include "proxy/forwarded_address.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace stanzagate::proxy {
namespace {

using Kind = ForwardedClient::Kind;
using config::Address;

constexpr std::string_view unreadable = "the address of a hop is not readable";
constexpr std::string_view too_long = "too long";
constexpr std::string_view differ = "Forwarded and X-Forwarded-For differ";

ForwardedClient refused(std::string_view reason) {
    return {Kind::refused, std::nullopt, reason};
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view spaces = " \t";
    const std::size_t first = text.find_first_not_of(spaces);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

bool is_same_word(std::string_view text, std::string_view lower_case) {
    return std::ranges::equal(text, lower_case, [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

bool is_in(std::span<const config::Network> networks, const Address& address) {
    return std::ranges::any_of(networks, [&](const auto& one) { return one.contains(address); });
}

// RFC 7239, section 6: digits, or a word that begins with "_".
bool is_port(std::string_view text) {
    constexpr std::size_t most_digits = 5;
    const bool obfuscated = text.starts_with('_') && text.size() > 1;
    if (!obfuscated && (text.empty() || text.size() > most_digits)) return false;
    return std::ranges::all_of(text, [&](char c) {
        const bool digit = c >= '0' && c <= '9';
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        return digit || (obfuscated && (letter || c == '.' || c == '_' || c == '-'));
    });
}

ForwardedClient told(const std::optional<Address>& address) {
    return address ? ForwardedClient{Kind::told, address, {}} : refused(unreadable);
}

// One hop (RFC 7239, section 6: node). An IPv6 address without brackets, as X-Forwarded-For has it,
// can have no port.
ForwardedClient read_node(std::string_view node) {
    std::string_view name = node;
    if (node.starts_with('[')) {
        const std::size_t end = node.find(']');
        if (end == std::string_view::npos) return refused(unreadable);
        const std::string_view after = node.substr(end + 1);
        if (!after.empty() && !(after.starts_with(':') && is_port(after.substr(1))))
            return refused(unreadable);
        name = node.substr(1, end - 1);
        return name.find(':') == std::string_view::npos ? refused(unreadable)
                                                        : told(Address::parse(name));
    }
    const std::size_t colon = node.find(':');
    if (colon != std::string_view::npos) {
        if (node.find(':', colon + 1) != std::string_view::npos) return told(Address::parse(node));
        if (!is_port(node.substr(colon + 1))) return refused(unreadable);
        name = node.substr(0, colon);
    }
    const bool obfuscated = name.starts_with('_') && is_port(name);
    if (obfuscated || is_same_word(name, "unknown")) return {Kind::hidden, std::nullopt, {}};
    return told(Address::parse(name));
}

// Splits at a mark that stands outside quotes (RFC 9110, section 5.6.4). Quotes that are not closed
// reach to the end: where a client opened some, what a hop added behind them is inside.
enum class Quotes { mean_nothing, enclose };  // X-Forwarded-For has none

std::vector<std::string_view> split(std::string_view text, char mark, Quotes quotes) {
    std::vector<std::string_view> parts;
    std::size_t start = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted && text[i] == '\\') {
            ++i;
        } else if (text[i] == '"' && quotes == Quotes::enclose) {
            quoted = !quoted;
        } else if (text[i] == mark && !quoted) {
            parts.push_back(trimmed(text.substr(start, i - start)));
            start = i + 1;
        }
    }
    parts.push_back(trimmed(text.substr(start)));
    return parts;
}

// A quoted string without its quotes, or the text as it is; nullopt where the quotes are wrong.
std::optional<std::string> unquoted(std::string_view text) {
    if (text.find('"') == std::string_view::npos) return std::string(text);
    if (text.size() < 2 || text.front() != '"') return std::nullopt;
    std::string plain;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"')
            return i + 1 == text.size() ? std::optional(std::move(plain)) : std::nullopt;
        if (text[i] == '\\') ++i;
        if (i == text.size()) return std::nullopt;
        plain += text[i];
    }
    return std::nullopt;
}

// One element of Forwarded (RFC 7239, section 4): parameters, of which one "for" counts here.
ForwardedClient read_element(std::string_view element) {
    std::optional<ForwardedClient> found;
    for (const std::string_view pair : split(element, ';', Quotes::enclose)) {
        if (pair.empty()) continue;
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos) return refused(unreadable);
        const auto value = unquoted(trimmed(pair.substr(equals + 1)));
        if (!value) return refused(unreadable);
        if (!is_same_word(trimmed(pair.substr(0, equals)), "for")) continue;
        if (found) return refused(unreadable);
        found = read_node(*value);
    }
    return found.value_or(ForwardedClient{Kind::hidden, std::nullopt, {}});
}

// What the lines of one field say, read from the right.
template <class Read>
ForwardedClient walk(std::span<const std::string_view> lines,
                     std::span<const config::Network> believed, Quotes quotes, Read read) {
    std::size_t bytes = 0;
    for (const std::string_view line : lines) bytes += line.size();
    if (bytes > max_forwarded_bytes) return refused(too_long);

    ForwardedClient last = refused(unreadable);  // where there is no hop at all
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        const auto hops = split(*line, ',', quotes);
        for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
            if (hop->empty()) continue;  // RFC 9110, section 5.6.1.2
            last = read(*hop);
            if (last.kind != Kind::told || !is_in(believed, *last.address)) return last;
        }
    }
    return last;
}

}  // namespace

ForwardedClient forwarded_client(const config::Address& peer,
                                 std::span<const config::Network> believed,
                                 const ForwardedFields& fields) {
    const bool has_standard = !fields.forwarded.empty();
    const bool has_other = !fields.x_forwarded_for.empty();
    if (!is_in(believed, peer) || !(has_standard || has_other)) return {Kind::peer, peer, {}};
    if (!has_other) return walk(fields.forwarded, believed, Quotes::enclose, read_element);
    const ForwardedClient other =
        walk(fields.x_forwarded_for, believed, Quotes::mean_nothing, read_node);
    if (!has_standard || other.kind == Kind::refused) return other;
    const ForwardedClient standard =
        walk(fields.forwarded, believed, Quotes::enclose, read_element);
    if (standard.kind == Kind::refused) return standard;
    return standard == other ? standard : refused(differ);
}

}  // namespace stanzagate::proxy
