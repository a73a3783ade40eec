#pragma once

#include <string_view>

#include "config/diagnostics.hpp"
#include "proxy/log.hpp"

namespace stanzagate::proxy {

// One line for each, by file, line and column. `consequence`, where there is one, is of the errors.
void log_diagnostics(const Log& log, std::string_view event, const config::Diagnostics& diagnostics,
                     std::string_view consequence = {});

}  // namespace stanzagate::proxy
