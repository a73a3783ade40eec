#include "config/config.hpp"

#include <algorithm>
#include <string_view>

#include "config/host_name.hpp"

namespace stanzagate::config {
namespace {

std::string_view scheme_name(UpstreamScheme scheme) {
    switch (scheme) {
        case UpstreamScheme::tcp:
            return "tcp";
        case UpstreamScheme::starttls:
            return "starttls";
        case UpstreamScheme::tls:
            return "tls";
    }
    return {};
}

// Whether `host`, in lower case, is some name below `parent`.
bool is_below(std::string_view host, std::string_view parent) {
    if (host.size() < parent.size() + 2 || !host.ends_with(parent)) return false;
    return host[host.size() - parent.size() - 1] == '.';
}

bool matches_lower(const HostPattern& pattern, std::string_view host) {
    switch (pattern.kind) {
        case HostPattern::Kind::exact:
            return host == pattern.name;
        case HostPattern::Kind::wildcard:
            return is_below(host, pattern.name);
        case HostPattern::Kind::any:
            return !host.empty();
    }
    return false;
}

// The greater, the closer: exact, then wildcards by length, then any.
std::size_t closeness(const HostPattern& pattern) {
    constexpr std::size_t closest = std::string_view::npos;
    if (pattern.kind == HostPattern::Kind::exact) return closest;
    return pattern.name.size();  // 0 for any
}

}  // namespace

std::string UpstreamAddress::to_string() const {
    const bool v6 = host.find(':') != std::string::npos;
    return std::string(scheme_name(scheme)) + "://" + (v6 ? '[' + host + ']' : host) + ':' +
           std::to_string(port);
}

bool HostPattern::matches(std::string_view host) const {
    return matches_lower(*this, ascii_lower(host));
}

std::string HostPattern::to_string() const {
    switch (kind) {
        case Kind::exact:
            return name;
        case Kind::wildcard:
            return "*." + name;
        case Kind::any:
            return "*";
    }
    return {};
}

const Host* Config::find_host(std::string_view name) const {
    const std::string lower = ascii_lower(name);
    const Host* closest = nullptr;
    for (const Host& host : hosts) {
        if (!matches_lower(host.name, lower)) continue;
        if (closest == nullptr || closeness(host.name) > closeness(closest->name)) closest = &host;
    }
    return closest;
}

}  // namespace stanzagate::config
