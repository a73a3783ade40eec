#include "config/utf8.hpp"

#include <cstddef>
#include <optional>

namespace stanzagate::config {
namespace {

// The well-formed byte sequences of Unicode 15, table 3-7: by first byte, how many bytes follow and
// what the second may be.
struct Sequence {
    std::size_t following;
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

Utf8Character first_character(std::string_view text) {
    using State = Utf8Character::State;
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto sequence = sequence_of(at(0));
    if (!sequence) return {text.substr(0, 1), State::wrong};
    for (std::size_t i = 1; i <= sequence->following; ++i) {
        if (i == text.size()) return {text.substr(0, 1), State::unfinished};
        const std::uint8_t low = i == 1 ? sequence->second_low : 0x80;
        const std::uint8_t high = i == 1 ? sequence->second_high : 0xBF;
        if (at(i) < low || at(i) > high) return {text.substr(0, 1), State::wrong};
    }
    return {text.substr(0, 1 + sequence->following), State::right};
}

std::string as_utf8(std::string_view bytes) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";
    std::string text;
    while (!bytes.empty()) {
        const auto character = first_character(bytes);
        text += character.is_right() ? character.bytes : replacement;
        bytes.remove_prefix(character.bytes.size());
    }
    return text;
}

bool Utf8Character::is_control() const {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    if (bytes.size() == 1) return at(0) < 0x20 || at(0) == 0x7F;
    if (bytes.size() == 2) return at(0) == 0xC2 && at(1) < 0xA0;
    return bytes == "\xE2\x80\xA8" || bytes == "\xE2\x80\xA9";
}

}  // namespace stanzagate::config
