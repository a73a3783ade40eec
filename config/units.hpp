#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

// Quantities as operators write them: a whole number and its unit.
namespace stanzagate::config {

// Either the value or what is wrong with the text and how to write it.
template <class T>
using Parsed = std::variant<T, std::string>;

// "500ms", "30s", "5m", "2h", "1d".
Parsed<std::chrono::milliseconds> parse_duration(std::string_view text);
// "512B", "64KiB", "1MiB", "1GiB".
Parsed<std::size_t> parse_size(std::string_view text);
// "20/s", "100/m", "500/h"; the value is per second.
Parsed<double> parse_rate(std::string_view text);

// The inverse, in the largest unit that divides the value: "2h", "90s", "64KiB".
std::string duration_text(std::chrono::milliseconds duration);
std::string size_text(std::size_t bytes);

}  // namespace stanzagate::config
