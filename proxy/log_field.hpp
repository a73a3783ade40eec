#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace stanzagate::proxy {

// `text`, or where it has more than `most_bytes`, so many of these and "…"; no character is halved.
inline std::string shortened(std::string_view text, std::size_t most_bytes) {
    if (text.size() <= most_bytes) return std::string(text);
    auto const goes_on = [text](std::size_t at) {
        return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    };
    while (most_bytes > 0 && goes_on(most_bytes)) --most_bytes;
    return std::string(text.substr(0, most_bytes)) + "…";
}

// One key and its value in a log line. Empty values are left out.
struct Field {
    // A name that a client sends may have kilobytes; no name that is of use has more than this.
    static constexpr std::size_t most_bytes = 255;

    Field(std::string_view name, std::string_view text)
        : key(name), value(shortened(text, most_bytes)) {}
    Field(std::string_view name, const std::string& text) : Field(name, std::string_view(text)) {}
    Field(std::string_view name, const char* text) : Field(name, std::string_view(text)) {}
    Field(std::string_view name, std::integral auto number)
        : key(name), value(std::to_string(number)), is_number(true) {}

    // For what the operator wrote, never a client: as much of it as a line can hold.
    static Field in_full(std::string_view name, std::string text) {
        Field field(name, "");
        field.value = std::move(text);
        return field;
    }

    std::string_view key;  // a name in the program's text
    std::string value;
    bool is_number = false;
};

}  // namespace stanzagate::proxy
