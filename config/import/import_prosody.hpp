#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "config/diagnostics.hpp"

namespace stanzagate::config {

struct ImportedProsody {
    std::string toml;  // which load_text() accepts
};

// Reads a Prosody configuration that uses mod_register_redirect and says the same in stanzagate's
// terms. What could not be carried over is a warning and a comment. nullopt where it could not be
// read, which is an error in `diagnostics`.
std::optional<ImportedProsody> import_prosody(const std::filesystem::path& file,
                                              Diagnostics& diagnostics);

}  // namespace stanzagate::config
