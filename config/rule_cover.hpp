#pragma once

#include <optional>
#include <vector>

#include "config/address_cover.hpp"
#include "config/host_pattern.hpp"
#include "config/rules.hpp"

namespace stanzagate::config {

// Requests that can come: to which names, and by which doors.
struct Traffic {
    std::vector<HostPattern> hosts;
    std::vector<Transport> transports;

    bool empty() const { return hosts.empty() || transports.empty(); }
};

// Whether registrations spend the rule's quota: only those that it forwards do. One that nothing
// spends holds for good.
bool spends_quota(const Rule& rule);

// A rule, made ready to be compared with others. Views the rule, which outlives it.
class RuleCover {
public:
    RuleCover(const Rule& rule, const std::vector<NamedList>& lists);

    // What of the traffic the rule's `host` and `transport` let in.
    Traffic lets_in(const Traffic& traffic) const;
    // Whether nobody ever is in its `from`.
    bool is_for_nobody() const;
    // Whether its `not_from` certainly keeps out all that its `from` lets in.
    bool excludes_itself() const;
    // Whether every request that `later` matches is certainly matched by this rule, at any time and
    // whatever files of lists hold. `traffic` is what `later` lets in.
    bool swallows(const RuleCover& later, const Traffic& traffic) const;

private:
    bool lets_in_all(const Traffic& traffic) const;
    bool lets_in_addresses_of(const RuleCover& later) const;
    bool is_always_time_of(const RuleCover& later) const;

    const Rule* rule_;
    std::optional<AddressCover> from_;
    std::optional<AddressCover> not_from_;
};

}  // namespace stanzagate::config
