#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace stanzagate::config {

// The number that all of `text` is, in decimal; nullopt where it is none, or not a `Number`.
template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace stanzagate::config
