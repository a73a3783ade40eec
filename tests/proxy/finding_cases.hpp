#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "proxy/finding.hpp"
#include "tests/proxy/visits.hpp"

// What is to be found at a server.
namespace stanzagate::proxy::testing {

// Lines of [host.upstream].
inline const std::string in_the_clear = "address = \"tcp://127.0.0.2:5222\"\n";
inline const std::string with_v2 = in_the_clear + "proxy_protocol = \"v2\"\n";
inline const std::string direct_tls =
    "address = \"tls://127.0.0.2:5223\"\nproxy_protocol = \"v2\"\n";
inline const std::string starttls =
    "address = \"starttls://127.0.0.2:5222\"\nproxy_protocol = \"v2\"\n";

struct FindingCase {
    const char* name;
    std::string upstream;
    MakeVisit server;
    std::vector<std::string> findings;  // their ids
    std::string said;                   // somewhere in the first of them
    std::string registration{};         // lines of [host.registration]
};
std::ostream& operator<<(std::ostream& out, const FindingCase& one);

// Examines the server and expects what the case says.
void expect_findings(const FindingCase& one);

// All that a finding says, with the place before each line to set.
std::string all_of(const Finding& finding);

// Servers: one that answers well, but for what `change` makes of that or of its features; ones that
// come to the same for every visit; one that wants this PROXY header.
MakeVisit answering(const std::function<void(Visit&)>& change);
MakeVisit offering(const std::function<void(filters::OfferedFeatures&)>& change);
MakeVisit always(Visit::End end, const std::string& words = {});
MakeVisit with_errors(const std::string& condition);
MakeVisit wanting(config::ProxyHeader header);

}  // namespace stanzagate::proxy::testing
