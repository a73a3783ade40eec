#pragma once

#include <string>
#include <variant>
#include <vector>

#include "proxy/doctor_report.hpp"
#include "proxy/snapshot.hpp"

namespace stanzagate::proxy {

// `stanzagate check --live`: connects to every upstream address of every host as a client of the
// gate would, and says what is wrong there and what to set. Never logs in, never registers: nothing
// is changed. `names` are the hosts to examine; empty: all that have one name. The error (a name
// that no [[host]] has) is a text for people.
std::variant<DoctorReport, std::string> examine_upstreams(const Snapshot& snapshot,
                                                          std::vector<std::string> names);

}  // namespace stanzagate::proxy
