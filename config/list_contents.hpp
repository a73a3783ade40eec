#pragma once

#include <memory>
#include <vector>

#include "config/config.hpp"
#include "config/diagnostics.hpp"
#include "config/network_set.hpp"

namespace stanzagate::config {

// What the files of Config::lists hold, in the same places; null for a list without a file. They
// change while the configuration stays.
using ListContents = std::vector<std::shared_ptr<const NetworkSet>>;

// Reads all of them. Broken lines are warnings; a file that cannot be read is an error, and its
// place holds an empty set.
ListContents read_lists(const Config& config, Diagnostics& diagnostics);

// Reads one again, after its file has changed. Where it cannot be read (false), that is a warning
// at the place that names it, and the last good list stays.
bool read_list_again(const NamedList& list, std::shared_ptr<const NetworkSet>& content,
                     Diagnostics& diagnostics);

}  // namespace stanzagate::config
