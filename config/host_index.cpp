#include "config/host_index.hpp"

#include <algorithm>

#include "config/host_name.hpp"

namespace stanzagate::config {

void HostIndex::add(const HostPattern& pattern, std::size_t place) {
    ++size_;
    switch (pattern.kind) {
        case HostPattern::Kind::exact:
            exact_.emplace(pattern.name, place);
            break;
        case HostPattern::Kind::wildcard:
            wildcards_.emplace(pattern.name, place);
            longest_wildcard_ = std::max(longest_wildcard_, pattern.name.size());
            break;
        case HostPattern::Kind::any:
            if (!any_) any_ = place;
            break;
    }
}

std::optional<std::size_t> HostIndex::find(std::string_view name) const {
    const bool has_capitals =
        std::ranges::any_of(name, [](char c) { return c >= 'A' && c <= 'Z'; });
    const std::string lowered = has_capitals ? ascii_lower(name) : std::string();
    const std::string_view lower = has_capitals ? lowered : name;
    if (lower.empty()) return std::nullopt;
    if (const auto found = exact_.find(lower); found != exact_.end()) return found->second;
    if (const auto found = find_wildcard(lower)) return found;
    return any_;
}

std::optional<std::size_t> HostIndex::find_wildcard(std::string_view name) const {
    if (wildcards_.empty()) return std::nullopt;
    // What a stranger asks for may be 16 KiB of dots: only the endings that are short enough to be
    // there are looked up.
    std::size_t dot = name.find('.', 1);  // at least one character stands before it
    if (name.size() > longest_wildcard_ + 2)
        dot = name.find('.', name.size() - longest_wildcard_ - 1);
    for (; dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
        const auto found = wildcards_.find(name.substr(dot + 1));
        if (found != wildcards_.end()) return found->second;
    }
    return std::nullopt;
}

}  // namespace stanzagate::config
