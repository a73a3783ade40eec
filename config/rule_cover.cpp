#include "config/rule_cover.hpp"

#include <algorithm>

namespace stanzagate::config {
namespace {

template <class T>
bool has(const std::vector<T>& all, const T& one) {
    return std::ranges::find(all, one) != all.end();
}

// For keys whose absence means everybody.
template <class T>
bool covers(const std::vector<T>& wide, const std::vector<T>& narrow) {
    if (wide.empty()) return true;
    return !narrow.empty() &&
           std::ranges::all_of(narrow, [&](const T& element) { return has(wide, element); });
}

std::optional<AddressCover> cover_of(const std::optional<AddressMatch>& match,
                                     const std::vector<NamedList>& lists) {
    if (!match) return std::nullopt;
    return AddressCover(*match, lists);
}

}  // namespace

bool spends_quota(const Rule& rule) {
    return rule.quota && rule.action == Action::forward;
}

RuleCover::RuleCover(const Rule& rule, const std::vector<NamedList>& lists)
    : rule_(&rule), from_(cover_of(rule.from, lists)), not_from_(cover_of(rule.not_from, lists)) {}

Traffic RuleCover::lets_in(const Traffic& traffic) const {
    Traffic inside;
    for (const Transport transport : traffic.transports)
        if (rule_->transports.empty() || has(rule_->transports, transport))
            inside.transports.push_back(transport);
    if (rule_->hosts.empty()) {
        inside.hosts = traffic.hosts;
        return inside;
    }
    // Of two patterns one holds all names of the other, or they have none in common.
    for (const HostPattern& host : traffic.hosts) {
        for (const HostPattern& pattern : rule_->hosts) {
            if (host.covers(pattern))
                inside.hosts.push_back(pattern);
            else if (pattern.covers(host))
                inside.hosts.push_back(host);
        }
    }
    return inside;
}

bool RuleCover::is_for_nobody() const {
    return from_ && from_->is_empty();
}

bool RuleCover::excludes_itself() const {
    return from_ && not_from_ && not_from_->holds(*from_);
}

bool RuleCover::swallows(const RuleCover& later, const Traffic& traffic) const {
    const Rule& earlier_rule = *rule_;
    const Rule& later_rule = *later.rule_;
    // Cheapest first: a configuration may have thousands of rules.
    if (spends_quota(earlier_rule)) return false;
    if (earlier_rule.invited && earlier_rule.invited != later_rule.invited) return false;
    return covers(earlier_rule.countries, later_rule.countries) &&
           covers(earlier_rule.dns_lists, later_rule.dns_lists) && is_always_time_of(later) &&
           lets_in_all(traffic) && lets_in_addresses_of(later);
}

bool RuleCover::is_always_time_of(const RuleCover& later) const {
    return !rule_->during || rule_->during->is_always() || rule_->during == later.rule_->during;
}

bool RuleCover::lets_in_all(const Traffic& traffic) const {
    const auto is_let_in = [&](const HostPattern& host) {
        return std::ranges::any_of(rule_->hosts,
                                   [&](const HostPattern& own) { return own.covers(host); });
    };
    return covers(rule_->transports, traffic.transports) &&
           (rule_->hosts.empty() || std::ranges::all_of(traffic.hosts, is_let_in));
}

// A client whose address is not known is in no `from`, and in no `not_from` either.
bool RuleCover::lets_in_addresses_of(const RuleCover& later) const {
    const AddressCover* const excluded = later.not_from_ ? &*later.not_from_ : nullptr;
    if (from_) {
        if (!later.from_) return false;
        if (!AddressCover::hold(*from_, excluded != nullptr ? *excluded : *from_, *later.from_))
            return false;
    }
    if (!not_from_) return true;
    // Whom this rule leaves out, the later one must leave out too.
    if (!later.from_) return excluded != nullptr && excluded->holds(*not_from_);
    return AddressCover::meet_only_in(excluded, *later.from_, *not_from_);
}

}  // namespace stanzagate::config
