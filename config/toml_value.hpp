#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/diagnostics.hpp"

// A TOML document as plain values that know where they stand in the file. Keeps the TOML library
// inside one .cpp file.
namespace stanzagate::config {

struct TomlValue;
struct TomlEntry;

using TomlArray = std::vector<TomlValue>;

struct TomlTable {
    std::vector<TomlEntry> entries;  // in the order written

    const TomlEntry* find(std::string_view key) const;
};

// A date or a time of day: TOML has them, no key of ours takes them.
struct TomlTime {};

struct TomlValue {
    std::variant<std::string, std::int64_t, double, bool, TomlTime, TomlArray, TomlTable> value;
    Position where;

    // What stands here, for a message: "a string", "the number 30", "an array".
    std::string describe() const;
};

struct TomlEntry {
    std::string key;
    Position key_where;
    TomlValue value;
};

// nullopt where the text is not TOML, which is then one error in `diagnostics` (the first: what
// follows it cannot be understood).
std::optional<TomlValue> parse_toml(std::string_view text, const std::string& file,
                                    Diagnostics& diagnostics);

}  // namespace stanzagate::config
