#include "config/host_pattern.hpp"

#include "config/host_name.hpp"

namespace stanzagate::config {
namespace {

// Whether `host`, in lower case, is some name below `parent`.
bool is_below(std::string_view host, std::string_view parent) {
    if (host.size() < parent.size() + 2 || !host.ends_with(parent)) return false;
    return host[host.size() - parent.size() - 1] == '.';
}

}  // namespace

bool HostPattern::matches(std::string_view host) const {
    switch (kind) {
        case Kind::exact:
            return ascii_lower(host) == name;
        case Kind::wildcard:
            return is_below(ascii_lower(host), name);
        case Kind::any:
            return !host.empty();
    }
    return false;
}

bool HostPattern::covers(const HostPattern& other) const {
    switch (kind) {
        case Kind::exact:
            return other == *this;
        case Kind::wildcard:
            if (other.kind == Kind::any) return false;
            return is_below(other.name, name) || other == *this;
        case Kind::any:
            return true;
    }
    return false;
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

}  // namespace stanzagate::config
