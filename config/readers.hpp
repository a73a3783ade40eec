#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "config/registration_keys.hpp"
#include "config/section.hpp"

// One reader for each table. They take a Section, report what is wrong with it, and return what
// could be read. Only for load() and its tests.
namespace stanzagate::config {

Server read_server(Section section);
Limits read_limits(Section section);
// `bound` has what the listeners before it listen on, and the admin address.
Listen read_listen(Section section, std::map<Endpoint, Position>& bound);
Http read_http(Section section);
Upstream read_upstream(Section& host);
std::vector<Network> read_networks(Section& section, std::string_view key);
// One of them; what is wrong with it is reported for `key`.
std::optional<Network> read_network(Section& section, std::string_view key,
                                    const Located<std::string>& written);

struct HostKeys {
    Host host;  // its registration is filled by resolve_registration()
    RegistrationKeys registration;
    Position where;  // of the table
};

// A host needs a certificate where any listener ends TLS.
HostKeys read_host(Section section, bool needs_certificate);

// Lays each host's keys over the global ones, and checks that every host can answer a
// registration; then the same for the rules that they name.
//
// The global settings alone also decide for names that no [[host]] has. They may be unable to make
// an answer where each host says for itself what is missing: such a registration, left with
// neither text nor url nor admins, is answered with its refusal. Rules do not decide for such
// names.
void resolve_registration(Config& config, const RegistrationKeys& global,
                          const std::vector<HostKeys>& hosts, const Reading& reading);

// The whole document. Complete only where no error was reported.
Config read_config(Section root);

}  // namespace stanzagate::config
