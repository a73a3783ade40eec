#pragma once

#include <string>
#include <vector>

#include "proxy/snapshot.hpp"
#include "proxy/upstream_examination.hpp"

// Servers that are made of a function: what a visit to them comes to.
namespace stanzagate::proxy::testing {

using filters::RegistrationReply;

// A server that lets clients log in and register: the visit that finds it so.
Visit welcome(const VisitPlan& plan);
// One that comes to nothing.
Visit failed(const VisitPlan& plan, Visit::End end, std::string words = {});
// A server that ends the stream at once.
Visit stream_error(const VisitPlan& plan, std::string condition);

// One that reads PROXY headers only of this kind, and otherwise takes them for XML, or XML for
// them.
Visit wants_header(config::ProxyHeader header, const VisitPlan& plan);

// One host, example.org, and these lines in its [host.upstream]; the whitelist is 192.0.2.64/26.
std::shared_ptr<const Snapshot> gate_before(const std::string& upstream,
                                            const std::string& registration = {});

// The examination of its first address.
Examination examination(const Snapshot& snapshot, const MakeVisit& visit);

}  // namespace stanzagate::proxy::testing
