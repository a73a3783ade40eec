#include "filters/policy.hpp"

#include <algorithm>

namespace stanzagate::filters {

std::string_view to_string(Action action) {
    switch (action) {
        case Action::forward:
            return "forward";
        case Action::redirect:
            return "redirect";
        case Action::refuse:
            return "refuse";
        case Action::close:
            return "close";
    }
    return "refuse";
}

std::string_view to_string(Transport transport) {
    switch (transport) {
        case Transport::starttls:
            return "starttls";
        case Transport::direct:
            return "direct";
        case Transport::websocket:
            return "websocket";
        case Transport::bosh:
            return "bosh";
    }
    return "direct";
}

std::string_view to_string(RequestKind kind) {
    switch (kind) {
        case RequestKind::get:
            return "get";
        case RequestKind::set:
            return "set";
        case RequestKind::flow:
            return "flow";
    }
    return "get";
}

Decision Policy::decide(const PolicyRequest& request) const {
    auto const own = decide_for(request.host, request);
    if (own.action != Action::forward || !request.other_domain ||
        *request.other_domain == request.host)
        return own;
    auto other = decide_for(*request.other_domain, request);
    if (other.action == Action::forward) return own;
    other.by_other_domain = true;
    return other;
}

Decision Policy::decide_for(std::string_view domain, const PolicyRequest& request) const {
    auto const* const host = config_->find_host(domain);
    // A domain that nobody configured is decided by the default alone.
    if (!host) return {Action::redirect, "default", &config_->registration, false};
    auto const& registration = host->registration;
    auto const& address = request.peer.address;
    bool const whitelisted =
        address && std::any_of(registration.whitelist.begin(), registration.whitelist.end(),
                               [&](auto const& network) { return network.contains(*address); });
    if (whitelisted) return {Action::forward, "whitelist", &registration, false};
    return {Action::redirect, "default", &registration, false};
}

}  // namespace stanzagate::filters
