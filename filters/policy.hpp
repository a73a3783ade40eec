#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "config/config.hpp"

namespace stanzagate::filters {

using config::Action;
using config::Transport;
enum class RequestKind : std::uint8_t {
    get,   // XEP-0077 get: "how do I register?"
    set,   // XEP-0077 set: "register me"
    flow,  // XEP-0389 register
};

std::string_view to_string(Action action);
std::string_view to_string(Transport transport);
std::string_view to_string(RequestKind kind);

// Who is at the other end of a client connection.
struct Peer {
    // Empty where a proxy would not say (PROXY "UNKNOWN"): then no list of addresses matches.
    std::optional<config::Address> address;
    Transport transport = Transport::starttls;
};

// A registration request, as far as a decision depends on it. Views need to live for the call only.
struct PolicyRequest {
    std::string_view host;                         // the stream's `to`, a domain in lower case
    std::optional<std::string_view> other_domain;  // the domain of the iq's own `to`, if it has one
    const Peer& peer;
    RequestKind kind = RequestKind::get;
};

// What becomes of a request, and why. `rule` and `registration` live as long as the Policy.
struct Decision {
    Action action = Action::redirect;
    std::string_view rule;
    const config::Registration* registration = nullptr;  // whose text and url answer it
    bool by_other_domain = false;  // the iq's own `to` decided, not the stream's host
};

// Decides registration requests by what the operator configured (contract: "What a client sees",
// point 1). Immutable; borrows the configuration, which must outlive it.
class Policy {
public:
    explicit Policy(const config::Config& config) : config_(&config) {}

    // The stream's host decides; where the request names another domain, that one must forward too.
    Decision decide(const PolicyRequest& request) const;

    const config::Config& config() const { return *config_; }

private:
    Decision decide_for(std::string_view domain, const PolicyRequest& request) const;

    const config::Config* config_;
};

}  // namespace stanzagate::filters
