#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stanzagate::config {

// A character of UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
struct Utf8Character {
    enum class State : std::uint8_t {
        right,
        unfinished,  // it is where the text ends, and may still become right
        wrong,
    };

    std::string_view bytes;  // one of them where it is not right
    State state = State::right;

    bool is_right() const { return state == State::right; }
    // Whether a terminal may take it for a command (C0, DEL, C1), or a reader for the end of the
    // line (U+2028 and U+2029, too).
    bool is_control() const;
};

// The one that the text begins with. The text is not empty.
Utf8Character first_character(std::string_view text);

// Any bytes as UTF-8: each that belongs to no character becomes U+FFFD.
std::string as_utf8(std::string_view bytes);

}  // namespace stanzagate::config
