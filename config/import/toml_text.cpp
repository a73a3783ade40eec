#include "config/import/toml_text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "config/diagnostics.hpp"

namespace stanzagate::config {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

// How many bytes the UTF-8 character (RFC 3629) at the start takes; 0 where there is none.
std::size_t character_size(std::string_view text) {
    const auto byte = [&](std::size_t at) -> unsigned {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4) return 0;
    for (std::size_t at = 1; at < size; ++at)
        if ((byte(at) & 0xc0U) != 0x80) return 0;
    // Longer forms than needed, surrogates, and what is behind the last character.
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) > 0x9f) return 0;
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) > 0x8f) return 0;
    return size;
}

void append_escaped(std::string& out, char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
    } else if (c == '\n') {
        out += "\\n";
    } else if (c == '\t') {
        out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
        std::array<char, 8> code{};
        std::snprintf(code.data(), code.size(), "\\u%04X", static_cast<unsigned>(byte));
        out += code.data();
    } else {
        out += c;
    }
}

}  // namespace

std::string as_utf8(std::string_view bytes) {
    std::string out;
    while (!bytes.empty()) {
        const std::size_t size = character_size(bytes);
        out += size == 0 ? replacement : bytes.substr(0, size);
        bytes.remove_prefix(size == 0 ? 1 : size);
    }
    return out;
}

std::string as_xml_text(std::string_view bytes) {
    const std::string text = as_utf8(bytes);
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view character =
            std::string_view(text).substr(at, character_size(std::string_view(text).substr(at)));
        at += character.size();
        const auto byte = static_cast<unsigned char>(character.front());
        const bool control = byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
        if (!control && character != "\xef\xbf\xbe" && character != "\xef\xbf\xbf")
            out += character;
    }
    return out;
}

std::string toml_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : as_utf8(text)) append_escaped(out, c);
    return out += '"';
}

std::string toml_list(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const std::string& text : texts) {
        if (out.size() > 1) out += ", ";
        out += toml_string(text);
    }
    return out += ']';
}

std::string toml_comment(std::string_view text) {
    constexpr std::size_t width = 98;
    std::string visible = one_line(as_utf8(text));
    std::string out;
    std::string_view rest = visible;
    for (std::string_view start = "# "; !rest.empty(); start = "#   ") {
        std::size_t end = rest.size();
        if (rest.size() > width) {
            end = rest.rfind(' ', width);
            if (end == std::string_view::npos || end == 0) end = rest.find(' ', width);
            if (end == std::string_view::npos) end = rest.size();
        }
        out += start;
        out += rest.substr(0, end);
        out += '\n';
        rest.remove_prefix(end);
        while (rest.starts_with(' ')) rest.remove_prefix(1);
    }
    return out;
}

std::string without_placeholders(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c;
        if (c == '{') out += c;
    }
    return out;
}

}  // namespace stanzagate::config
