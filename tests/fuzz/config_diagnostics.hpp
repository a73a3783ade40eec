#pragma once

#include <string_view>

#include "config/diagnostics.hpp"

namespace stanzagate::config {

// Not assert(): it must hold in every build.
void require(bool holds, std::string_view promise, std::string_view seen);

// What was said about a text is in the right form and not more than the text can need; what is said
// of `file` stands at a place that the text has.
void check_diagnostics(const Diagnostics& diagnostics, std::string_view file,
                       std::string_view text);

}  // namespace stanzagate::config
