#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "config/section.hpp"

// One reader for each table. They take a Section, report what is wrong with it, and return what
// could be read. Only for load() and its tests.
namespace stanzagate::config {

Server read_server(Section section);
Limits read_limits(Section section);
// `bound` has what the listeners before it listen on.
Listen read_listen(Section section, std::map<Endpoint, Position>& bound);
Upstream read_upstream(Section& host);
std::vector<Network> read_networks(Section& section, std::string_view key);

// A key of [registration] or [host.registration] that was written.
template <class T>
struct Given {
    std::optional<T> value;  // absent: what was written is wrong, and has been reported
    Position where;
    std::string key;  // for messages: "host.registration.url"
};

struct RegistrationUrl {
    TextTemplate text;
    std::string scheme;  // lower case
    std::string written;
};

// [registration] or [host.registration] as written, before one is laid over the other.
struct RegistrationKeys {
    std::optional<Position> table;  // absent: there is no such table
    std::optional<Given<std::vector<Network>>> whitelist;
    std::optional<Given<RegistrationUrl>> url;
    std::optional<Given<RegistrationTexts>> text;
    std::optional<Given<bool>> oob;
    std::optional<Given<std::vector<std::string>>> admins;
    std::optional<Given<Refusal>> refusal;
    std::optional<Given<Advertise>> advertise;
};

RegistrationKeys read_registration(Section section);
Given<RegistrationUrl> read_registration_url(Section& section, std::string_view key);

// Whether every character may stand in XML 1.0; what goes into replies must.
bool is_xml_text(std::string_view utf8);

struct HostKeys {
    Host host;  // its registration is filled by resolve_registration()
    RegistrationKeys registration;
    Position where;  // of the table
};

// A host needs a certificate where any listener ends TLS.
HostKeys read_host(Section section, bool needs_certificate);

// Lays each host's keys over the global ones, and checks that every host can answer a
// registration.
//
// The global settings alone also decide for names that no [[host]] has. They may be unable to make
// an answer where each host says for itself what is missing: such a registration, left with
// neither text nor url nor admins, is answered with its refusal.
void resolve_registration(Config& config, const RegistrationKeys& global,
                          const std::vector<HostKeys>& hosts, Diagnostics& diagnostics);

// The whole document. Complete only where no error was reported.
Config read_config(Section root);

}  // namespace stanzagate::config
