#pragma once

#include <cstdint>

#include "config/config.hpp"
#include "config/diagnostics.hpp"

namespace stanzagate::proxy {

// How many descriptors this process may have at most (RLIMIT_NOFILE, the hard limit).
std::uint64_t hard_descriptor_limit();

// As many as it may have: the soft limit, which most systems set to 1024, is there for programs
// that use select().
void raise_descriptor_limit();

// A warning where so many as limits.connections do not come in with `most` descriptors, unless it
// is the default.
void warn_of_descriptors(const config::Config& config, std::uint64_t most,
                         config::Diagnostics& diagnostics);

}  // namespace stanzagate::proxy
