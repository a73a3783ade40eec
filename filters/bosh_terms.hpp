#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "filters/bosh_body.hpp"

namespace stanzagate::filters {

// What the gate offers to every BOSH session.
struct BoshSettings {
    std::chrono::seconds wait{60};        // a request is answered within this
    unsigned hold = 2;                    // requests kept waiting at once
    std::chrono::seconds inactivity{60};  // without any request, before the session is over
    std::chrono::seconds polling{2};      // between two empty requests; 0: as it pleases
    std::chrono::seconds pause{120};      // the longest that may be asked for; 0: none
    // What one response carries, if no single element is longer. The last ones are kept, too
    // (XEP-0124 section 14.3), so this bounds what a session costs.
    std::size_t response_bytes = std::size_t{24} * 1024;
};

// What one session was given, from its first request (XEP-0124 section 7).
struct BoshTerms {
    std::chrono::seconds wait{};
    std::uint64_t hold = 0;
    std::uint64_t requests = 0;  // at once
    std::chrono::seconds inactivity{};
    std::chrono::seconds polling{};
    std::chrono::seconds pause{};
    BoshVersion ver{};
    bool legacy = false;  // knows HTTP codes only (XEP-0124 section 17.1)
    bool polls = false;   // nothing is ever held (section 12)
    bool acks = false;    // the client acknowledges responses (section 9.2)
    std::string content = "text/xml; charset=utf-8";  // for the HTTP header of every response

    BoshTerms() = default;
    BoshTerms(const BoshBody& request, const BoshSettings& settings);
};

// The attributes of the response to a session's first request (XEP-0124 section 7.2, XEP-0206
// section 4), but for those that the server has to tell.
BodyAttributes creation_attributes(const BoshTerms& terms, std::string_view sid, std::uint64_t rid);

// The HTTP status that a binding condition has for a client that knows no conditions; else 200.
unsigned http_status(std::string_view condition, bool legacy);

}  // namespace stanzagate::filters
