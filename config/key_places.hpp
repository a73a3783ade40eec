#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stanzagate::config {

enum class ConfigFile : std::uint8_t { main, rules };

// A table of a configuration, and the keys that may stand in it.
struct KeyPlace {
    ConfigFile file;
    std::string_view table;    // dotted, as in messages; empty for the document
    std::string_view written;  // "in [host.upstream]"
    std::span<const std::string_view> keys;
};

// Every table there is. The readers know their keys by themselves: a test holds the two together.
std::span<const KeyPlace> key_places();

// Where a key that is unknown in `table` of `file` would be known: `; it belongs in
// [host.registration]`. Of several tables those below `table` count, then those of the same file.
// Empty where no table has such a key.
std::string where_it_belongs(std::string_view key, ConfigFile file, std::string_view table);

}  // namespace stanzagate::config
