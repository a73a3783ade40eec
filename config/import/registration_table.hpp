#pragma once

#include <string>
#include <vector>

#include "config/import/redirect_settings.hpp"

namespace stanzagate::config {

// The text of hosts where the gate leaves registration to the server: for a client whose address is
// not known, which no list can let pass.
inline constexpr const char* text_for_nobody = "Please ask the administrator of {host}.";

// Divides what the hosts have into [registration] and what each [host.registration] overrides. A
// host cannot take a global key back, so only what every host has one of becomes global.
class RegistrationTable {
public:
    RegistrationTable(RedirectSettings global, const std::vector<RedirectSettings>& hosts);

    std::string global() const;                          // [registration]
    std::string of(const RedirectSettings& host) const;  // [host.registration], or nothing

private:
    RedirectSettings global_;
};

}  // namespace stanzagate::config
