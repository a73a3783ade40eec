#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics.hpp"
#include "config/import/lua_value.hpp"

namespace stanzagate::config {

struct ProsodyOption {
    LuaValue value;
    Position where;
};

// The options of one VirtualHost or Component, or those that hold for all.
struct ProsodySection {
    std::string name;  // "*" for those that hold for all
    bool component = false;
    Position where;
    std::map<std::string, ProsodyOption> options;

    const ProsodyOption* find(const std::string& option) const;
};

// What a Prosody configuration says, module by module still to be understood.
struct ProsodyConfig {
    std::filesystem::path file;
    std::filesystem::path folder;  // where relative paths start
    ProsodySection global;
    std::vector<ProsodySection> hosts;  // in the order they are first named
};

// Evaluates the file, which is a Lua program, in a sandbox. nullopt where it cannot be read or
// evaluated, which is an error in `diagnostics`. What could not be followed is a warning there.
std::optional<ProsodyConfig> read_prosody_config(const std::filesystem::path& file,
                                                 Diagnostics& diagnostics);

}  // namespace stanzagate::config
