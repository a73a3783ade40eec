#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "proxy/example_addresses.hpp"
#include "proxy/visit.hpp"

namespace stanzagate::proxy {

// Which upstream, and for whom.
struct ExaminationTarget {
    const config::Config* config = nullptr;
    const config::Host* host = nullptr;  // of `config`
    std::string name;                    // the stream's `to`
    config::UpstreamAddress address;     // one of the host's
    ExampleAddresses examples;
};

// All that was seen there.
struct Examination {
    ExaminationTarget target;
    // As the gate connects for a client: with a PROXY header, for a stranger.
    Visit first;
    // Where the certificate was refused: the same without looking at it.
    std::optional<Visit> unverified;
    // Where neither was read: the same with other PROXY headers or none, up to the one that was.
    std::vector<Visit> other_headers;
    // Where none did, and it was to be STARTTLS: the same without TLS.
    std::optional<Visit> in_clear;
    // Where a PROXY header is sent: for clients who may register.
    std::vector<Visit> allowed;

    const Visit& as_configured() const { return unverified ? *unverified : first; }
    // The one with another PROXY header that was read; nullptr: none was, or none was tried.
    const Visit* read_otherwise() const;
    // The visit that shows the server's features; nullptr: none does.
    const Visit* answered() const;
};

using MakeVisit = std::function<Visit(const VisitPlan&)>;

// Makes the visits that tell what is wrong; most upstreams need two or three.
Examination examine(ExaminationTarget target, const MakeVisit& visit);

}  // namespace stanzagate::proxy
