#pragma once

#include <string>

#include "config/import/import_notes.hpp"
#include "config/import/prosody_config.hpp"

namespace stanzagate::config {

// Whether Prosody loads a module. `maybe`: modules_enabled has values that are not known here, or
// modules_disabled has and names what is enabled no more.
enum class Loading { no, maybe, yes };

Loading loading_of(const std::string& module, const ProsodySection& global,
                   const ProsodySection& host);
// On the host where it is surest.
Loading loading_of(const std::string& module, const ProsodyConfig& config);

// Not known not to be: who asks this of a guard or of a way past the gate is on the safe side.
inline bool is_enabled(Loading loading) {
    return loading != Loading::no;
}

// Says of lists of modules that are not known what is taken for enabled.
void note_unknown_modules(const ProsodySection& section, ImportNotes& notes);

}  // namespace stanzagate::config
