#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/import/import_notes.hpp"
#include "config/import/prosody_options.hpp"

namespace stanzagate::config {

// The keys of [registration] with which the gate decides and answers as mod_register_redirect does
// with these options. Texts are templates, ready to be written; `check` accepts every one of them,
// and together they can answer a client.
struct RedirectSettings {
    std::vector<std::string> whitelist;
    std::optional<std::string> url;
    std::optional<std::string> text;
    bool oob = true;
    std::vector<std::string> admins;

    bool operator==(const RedirectSettings&) const = default;
};

RedirectSettings redirect_settings(const ProsodyOptions& options, ImportNotes& notes);

// Whether `check` accepts this value for a key of [registration] that has a text beside it.
bool is_accepted(std::string_view key, std::string_view toml_value);

}  // namespace stanzagate::config
