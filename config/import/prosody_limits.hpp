#pragma once

#include <string>
#include <vector>

#include "config/import/import_notes.hpp"
#include "config/import/prosody_options.hpp"
#include "config/import/redirect_settings.hpp"

namespace stanzagate::config {

// What mod_register_limits holds on one host. Addresses and networks are as `check` accepts them.
struct ProsodyLimits {
    std::vector<std::string> blocklist;
    std::vector<std::string> allowlist;
    bool allowlist_only = false;
    double count = 0;  // registrations of one address in `seconds`; 0: any number
    double seconds = 0;

    bool operator==(const ProsodyLimits&) const = default;
};

ProsodyLimits prosody_limits(const ProsodyOptions& options, ImportNotes& notes);

// One host for which rules are to be written.
struct LimitedHost {
    std::string name;
    ProsodyLimits limits;
    std::vector<std::string> whitelist;  // who is forwarded to begin with
};

// A rule file that does the same at the gate; empty where there is nothing to limit.
std::string limits_rules(const std::vector<LimitedHost>& hosts);

}  // namespace stanzagate::config
