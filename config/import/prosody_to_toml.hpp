#pragma once

#include <string>

#include "config/diagnostics.hpp"
#include "config/import/prosody_config.hpp"

namespace stanzagate::config {

// A configuration, with comments, whose gate decides registrations as that Prosody did. Its own
// loader accepts it. What could not be carried over is a comment there and a warning in
// `diagnostics`. Empty, with an error, where there is no VirtualHost to serve.
std::string prosody_to_toml(const ProsodyConfig& config, Diagnostics& diagnostics);

}  // namespace stanzagate::config
