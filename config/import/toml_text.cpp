#include "config/import/toml_text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "config/diagnostics.hpp"
#include "config/utf8.hpp"

namespace stanzagate::config {
namespace {

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

std::string as_xml_text(std::string_view bytes) {
    const std::string text = as_utf8(bytes);
    std::string out;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view character = first_character(rest).bytes;
        rest.remove_prefix(character.size());
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
