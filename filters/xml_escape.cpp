#include "filters/xml_escape.hpp"

#include "config/utf8.hpp"

namespace stanzagate::filters {

std::string xml_escape(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size() + 16);
    for (char const c : text) {
        switch (c) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '\'':
                escaped += "&apos;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            case '\t':
                escaped += "&#9;";
                break;
            case '\n':
                escaped += "&#10;";
                break;
            case '\r':
                escaped += "&#13;";
                break;
            default:
                if (static_cast<unsigned char>(c) >= 0x20) escaped += c;
        }
    }
    return escaped;
}

void append_attribute(std::string& xml, std::string_view name, std::string_view value) {
    xml += ' ';
    xml += name;
    xml += "='";
    xml += xml_escape(value);
    xml += '\'';
}

std::optional<std::size_t> invalid_utf8(std::string_view bytes) {
    using State = config::Utf8Character::State;
    for (std::size_t at = 0; at < bytes.size();) {
        auto const character = config::first_character(bytes.substr(at));
        if (character.state == State::wrong) return at;
        if (character.state == State::unfinished) return std::nullopt;
        at += character.bytes.size();
    }
    return std::nullopt;
}

}  // namespace stanzagate::filters
