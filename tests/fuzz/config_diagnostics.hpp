#pragma once

#include <cstddef>
#include <string_view>

#include "config/diagnostics.hpp"

namespace stanzagate::config {

// What was said about a text is in the right form and not more than the text can need; what is said
// of `file` stands at a place that the text has. A message has `shortest` bytes at least.
void check_diagnostics(const Diagnostics& diagnostics, std::string_view file, std::string_view text,
                       std::size_t shortest = 6);

}  // namespace stanzagate::config
