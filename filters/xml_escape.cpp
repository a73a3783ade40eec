#include "filters/xml_escape.hpp"

#include <cstdint>

namespace stanzagate::filters {
namespace {

// The well-formed byte sequences of Unicode 15, table 3-7: by first byte, how many bytes follow and
// what the second may be.
struct Sequence {
    unsigned following;
    std::uint8_t second_low;
    std::uint8_t second_high;
};

std::optional<Sequence> sequence_of(std::uint8_t first) {
    if (first < 0x80) return Sequence{0, 0, 0};
    if (first < 0xC2) return std::nullopt;
    if (first < 0xE0) return Sequence{1, 0x80, 0xBF};
    if (first == 0xE0) return Sequence{2, 0xA0, 0xBF};
    if (first == 0xED) return Sequence{2, 0x80, 0x9F};
    if (first < 0xF0) return Sequence{2, 0x80, 0xBF};
    if (first == 0xF0) return Sequence{3, 0x90, 0xBF};
    if (first < 0xF4) return Sequence{3, 0x80, 0xBF};
    if (first == 0xF4) return Sequence{3, 0x80, 0x8F};
    return std::nullopt;
}

}  // namespace

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
    auto const at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    for (std::size_t i = 0; i < bytes.size();) {
        auto const sequence = sequence_of(at(i));
        if (!sequence) return i;
        for (unsigned n = 1; n <= sequence->following; ++n) {
            if (i + n == bytes.size()) return std::nullopt;
            auto const low = n == 1 ? sequence->second_low : std::uint8_t{0x80};
            auto const high = n == 1 ? sequence->second_high : std::uint8_t{0xBF};
            if (at(i + n) < low || at(i + n) > high) return i;
        }
        i += 1 + sequence->following;
    }
    return std::nullopt;
}

}  // namespace stanzagate::filters
