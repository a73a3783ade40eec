#include "config/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "config/diagnostics.hpp"

namespace stanzagate::config {
namespace {

using namespace std::chrono_literals;

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array duration_units{Unit{"ms", 1}, Unit{"s", 1'000}, Unit{"m", 60'000},
                                    Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
constexpr std::array size_units{Unit{"B", 1}, Unit{"KiB", 1U << 10U}, Unit{"MiB", 1U << 20U},
                                Unit{"GiB", 1U << 30U}};

// One kind of quantity, and how to tell an operator about it.
struct Kind {
    std::string_view name;  // "a duration"
    std::span<const Unit> units;
    std::string_view unit_names;
    std::string_view example;
};

constexpr Kind duration_kind{"a duration", duration_units, "ms, s, m, h or d", "\"30s\""};
constexpr Kind size_kind{"a size", size_units, "B, KiB, MiB or GiB", "\"64KiB\""};

std::string_view leading_digits(std::string_view text) {
    return text.substr(0, text.find_first_not_of("0123456789"));
}

// nullopt where it is too large.
std::optional<std::uint64_t> number(std::string_view digits) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

Parsed<std::uint64_t> parse_quantity(std::string_view text, const Kind& kind) {
    const std::string how = "; write a whole number and its unit (" + std::string(kind.unit_names) +
                            "), as in " + std::string(kind.example);
    const std::string_view digits = leading_digits(text);
    const std::string_view unit_name = text.substr(digits.size());
    if (digits.empty()) return in_quotes(text) + " is not " + std::string(kind.name) + how;
    if (unit_name.empty()) return in_quotes(text) + " has no unit" + how;

    const auto unit = std::ranges::find(kind.units, unit_name, &Unit::name);
    if (unit == kind.units.end())
        return in_quotes(text) + ": unknown unit " + in_quotes(unit_name) + how;

    constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto value = number(digits);
    if (!value || *value > largest / unit->factor) return in_quotes(text) + " is too large";
    return *value * unit->factor;
}

std::string quantity_text(std::uint64_t value, std::span<const Unit> units) {
    const Unit* best = &units.front();
    for (const Unit& unit : units)
        if (value != 0 && value % unit.factor == 0) best = &unit;
    return std::to_string(value / best->factor) + std::string(best->name);
}

}  // namespace

Parsed<std::chrono::milliseconds> parse_duration(std::string_view text) {
    auto parsed = parse_quantity(text, duration_kind);
    if (auto* error = std::get_if<std::string>(&parsed)) return std::move(*error);
    return std::chrono::milliseconds(std::get<std::uint64_t>(parsed));
}

Parsed<std::size_t> parse_size(std::string_view text) {
    auto parsed = parse_quantity(text, size_kind);
    if (auto* error = std::get_if<std::string>(&parsed)) return std::move(*error);
    return static_cast<std::size_t>(std::get<std::uint64_t>(parsed));
}

Parsed<double> parse_rate(std::string_view text) {
    constexpr std::array units{Unit{"/s", 1}, Unit{"/m", 60}, Unit{"/h", 3'600}};
    const std::string_view digits = leading_digits(text);
    const auto unit = std::ranges::find(units, text.substr(digits.size()), &Unit::name);
    if (digits.empty() || unit == units.end())
        return in_quotes(text) +
               " is not a rate; write a whole number per second, minute or hour, as in \"20/s\", "
               "\"100/m\" or \"500/h\"";
    const auto value = number(digits);
    if (!value) return in_quotes(text) + " is too large";
    return static_cast<double>(*value) / static_cast<double>(unit->factor);
}

std::string duration_text(std::chrono::milliseconds duration) {
    // As people say it, and as the documents do: 60s and 24h, not 1m and 1d.
    if (duration == 0ms) return "0s";
    if (duration == 1min) return "60s";
    if (duration == 24h) return "24h";
    return quantity_text(static_cast<std::uint64_t>(duration.count()), duration_units);
}

std::string size_text(std::size_t bytes) {
    return quantity_text(bytes, size_units);
}

}  // namespace stanzagate::config
