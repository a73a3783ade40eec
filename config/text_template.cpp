#include "config/text_template.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "config/diagnostics.hpp"
#include "config/nearest_word.hpp"

namespace stanzagate::config {
namespace {

using Placeholder = TextTemplate::Placeholder;

const std::array<std::string, 4>& placeholder_names() {
    // In the order of the enumerators.
    static const std::array<std::string, 4> names{"host", "url", "address", "lang"};
    return names;
}

std::optional<Placeholder> placeholder_named(std::string_view name) {
    const auto& names = placeholder_names();
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Placeholder>(found - names.begin());
}

std::string_view value_of(Placeholder placeholder, const TextTemplate::Values& values) {
    switch (placeholder) {
        case Placeholder::host:
            return values.host;
        case Placeholder::url:
            return values.url;
        case Placeholder::address:
            return values.address;
        case Placeholder::lang:
            return values.lang;
    }
    return {};
}

// RFC 3986, section 2.3.
bool is_unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void append_percent_encoded(std::string& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4U];
        out += digits[byte & 0xfU];
    }
}

}  // namespace

std::variant<TextTemplate, std::string> TextTemplate::parse(std::string_view text) {
    TextTemplate result;
    std::string literal;
    const auto end_literal = [&] {
        if (!literal.empty()) result.parts_.emplace_back(std::exchange(literal, {}));
    };
    while (!text.empty()) {
        const std::size_t brace = text.find('{');
        literal += text.substr(0, brace);
        if (brace == std::string_view::npos) break;
        text.remove_prefix(brace + 1);
        if (text.starts_with('{')) {
            literal += '{';
            text.remove_prefix(1);
            continue;
        }
        const std::size_t close = text.find('}');
        if (close == std::string_view::npos)
            return "a \"{\" is never closed; write \"{{\" for a brace";
        const std::string_view name = text.substr(0, close);
        const auto placeholder = placeholder_named(name);
        if (!placeholder)
            return "unknown placeholder {" + one_line(name) +
                   "}; there are {host}, {url}, {address} and {lang}, and \"{{\" is a brace" +
                   did_you_mean(name, placeholder_names());
        end_literal();
        result.parts_.emplace_back(*placeholder);
        text.remove_prefix(close + 1);
    }
    end_literal();
    return result;
}

bool TextTemplate::uses(Placeholder placeholder) const {
    return std::ranges::any_of(parts_, [&](const auto& part) {
        const auto* found = std::get_if<Placeholder>(&part);
        return found != nullptr && *found == placeholder;
    });
}

std::string TextTemplate::expand(const Values& values, Escape escape) const {
    std::string out;
    for (const auto& part : parts_) {
        if (const auto* literal = std::get_if<std::string>(&part)) {
            out += *literal;
            continue;
        }
        const std::string_view value = value_of(std::get<Placeholder>(part), values);
        if (escape == Escape::percent) {
            append_percent_encoded(out, value);
        } else {
            out += value;
        }
    }
    return out;
}

}  // namespace stanzagate::config
