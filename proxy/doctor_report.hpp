#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "proxy/finding.hpp"

namespace stanzagate::proxy {

// What the examination of one upstream came to.
struct ExaminedUpstream {
    std::string host;
    std::string address;
    std::vector<std::string> facts;
    std::vector<Finding> findings;
};

struct DoctorReport {
    std::vector<ExaminedUpstream> upstreams;
    std::vector<std::string> skipped;  // hosts that were not examined, and why, a line each

    std::size_t count(Finding::Weight weight) const;
};

std::string as_text(const DoctorReport& report);
std::string as_json(const DoctorReport& report);

}  // namespace stanzagate::proxy
