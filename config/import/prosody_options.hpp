#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/import/import_notes.hpp"
#include "config/import/prosody_config.hpp"

namespace stanzagate::config {

// The options as a module on one host reads them: the host's own before the global ones, and a
// value of another kind than expected turned into that kind as Prosody's module API does it. What
// is not known here counts as not set, and is noted.
class ProsodyOptions {
public:
    // `host` is nullptr for what is read globally. All live longer than this.
    ProsodyOptions(const ProsodySection& global, const ProsodySection* host, ImportNotes& notes)
        : global_(&global), host_(host), notes_(&notes) {}

    const ProsodyOption* find(const std::string& name) const;
    const ProsodyOption* find_global(const std::string& name) const { return global_->find(name); }
    // Of several names of one option the first that is set.
    const ProsodyOption* find_any(const std::vector<std::string>& names) const;
    Position where(const std::string& name) const;

    std::optional<std::string> text(const std::string& name) const;
    bool boolean(const std::string& name, bool otherwise) const;
    std::optional<double> number(const std::string& name) const;
    // Texts of a list, or the one value in place of a list. nullopt where it is not set.
    std::optional<std::vector<std::string>> list(const std::string& name) const;
    std::vector<std::string> texts_of(const std::string& name, const ProsodyOption& option) const;

private:
    // The value, or a list's first; nullptr where there is none or it is unknown.
    const LuaValue* scalar(const std::string& name) const;

    const ProsodySection* global_;
    const ProsodySection* host_;
    ImportNotes* notes_;
};

}  // namespace stanzagate::config
