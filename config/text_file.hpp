#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "config/diagnostics.hpp"

namespace stanzagate::config {

// All of a file that an operator wrote; `what` names it in the error ("the configuration"). nullopt
// where it cannot be read, which has then been reported.
std::optional<std::string> read_text_file(const std::filesystem::path& file, std::string_view what,
                                          Diagnostics& diagnostics);

}  // namespace stanzagate::config
