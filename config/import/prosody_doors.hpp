#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/address.hpp"
#include "config/import/import_notes.hpp"
#include "config/import/prosody_options.hpp"

namespace stanzagate::config {

// Where Prosody's clients connect, and the gate is to take its place.
struct ProsodyDoors {
    std::vector<Endpoint> starttls;
    std::vector<Endpoint> direct;
};

ProsodyDoors prosody_doors(const ProsodyOptions& global, ImportNotes& notes);
// A port for Prosody behind the gate: the one that mod_net_proxy has for it, or a usual free one.
std::uint16_t port_behind(const ProsodyOptions& global, const ProsodyDoors& doors);

}  // namespace stanzagate::config
