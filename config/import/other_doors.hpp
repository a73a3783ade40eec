#pragma once

#include <string>
#include <vector>

#include "config/import/import_notes.hpp"
#include "config/import/prosody_config.hpp"
#include "config/import/prosody_modules.hpp"
#include "config/import/prosody_options.hpp"

namespace stanzagate::config {

// How clients reach Prosody past the gate, at ports that stay its own.
struct OtherDoors {
    struct Module {
        std::string name;
        Loading loading;
    };
    std::vector<Module> web;               // at its HTTP ports
    Loading multiplexing = Loading::no;    // whether mod_net_multiplex has ports
    std::vector<std::string> multiplexed;  // which: "ports 5222", or "ports" alone
    Loading guard = Loading::no;           // of mod_register_redirect
};

OtherDoors other_doors(const ProsodyConfig& config, const ProsodyOptions& global);
void note_other_doors(const OtherDoors& doors, const ProsodyOptions& global, ImportNotes& notes);
// What becomes of mod_register_redirect, as comments.
std::string what_stays(const OtherDoors& doors);

}  // namespace stanzagate::config
