#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "config/config.hpp"
#include "config/diagnostics.hpp"

namespace stanzagate::config {

// Reads and validates a configuration file. Everything that is wrong is added to `diagnostics`,
// each with its file, line and column; the result is there only where no error was found.
// Opens `file` and the rule files that it names. Certificates are read by certs/, and what the
// files of address lists hold is read on its own, since it changes on its own.
std::optional<Config> load(const std::filesystem::path& file, Diagnostics& diagnostics);

// What could be read of it where there are errors, too: not to be served, but to look for what is
// wrong in the files that it names. nullopt where the file cannot be read or is no TOML.
std::optional<Config> load_in_part(const std::filesystem::path& file, Diagnostics& diagnostics);

// Like load(), from memory; `file` names the place in diagnostics and anchors relative paths.
std::optional<Config> load_text(std::string_view text, const std::filesystem::path& file,
                                Diagnostics& diagnostics);

}  // namespace stanzagate::config
