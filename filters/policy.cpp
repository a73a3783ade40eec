#include "filters/policy.hpp"

#include <algorithm>
#include <utility>

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

std::string_view to_string(MatchKey key) {
    switch (key) {
        case MatchKey::host:
            return "host";
        case MatchKey::from:
            return "from";
        case MatchKey::not_from:
            return "not_from";
        case MatchKey::transport:
            return "transport";
        case MatchKey::country:
            return "country";
        case MatchKey::invited:
            return "invited";
        case MatchKey::during:
            return "during";
        case MatchKey::dnsbl:
            return "dnsbl";
        case MatchKey::quota:
            return "quota";
    }
    return "";
}

namespace {

// One registration is one, whichever domains are asked: only a quota by host tells them apart.
bool are_counted_together(const std::vector<QuotaUse>& uses, const QuotaUse& another) {
    return another.rule->quota->by != config::QuotaBy::host &&
           std::any_of(uses.begin(), uses.end(),
                       [&](auto const& use) { return use.rule == another.rule; });
}

}  // namespace

// A request on its way through the rules, with what was found out about it so far.
struct Policy::Question {
    const PolicyRequest& request;
    const World& world;
    mutable std::optional<std::string> country{};
    mutable std::optional<std::chrono::system_clock::time_point> now{};
    mutable bool unknown = false;  // a DNS list that matters has not been asked

    bool is_in(const std::vector<std::string>& countries) const {
        if (!request.peer.address) return false;
        if (!country) country = world.country(*request.peer.address);
        return std::find(countries.begin(), countries.end(), *country) != countries.end();
    }

    bool is_spent(const config::Rule& rule, std::string_view domain) const {
        return std::any_of(request.spent.begin(), request.spent.end(), [&](auto const& use) {
            return use.rule == &rule && use.domain == domain;
        });
    }

    bool is_time(const config::Schedule& schedule) const {
        if (!now) now = world.now();
        return schedule.holds(*now);
    }

    bool is_unknown(const std::string& zone) const {
        return !world.listed(zone) &&
               std::find(request.asked.begin(), request.asked.end(), zone) == request.asked.end();
    }

    bool is_listed(const std::vector<std::string>& zones) const {
        if (!request.peer.address) return false;
        auto const lists_it = [&](auto const& zone) { return world.listed(zone) == true; };
        if (std::any_of(zones.begin(), zones.end(), lists_it)) return true;
        unknown = std::any_of(zones.begin(), zones.end(),
                              [&](auto const& zone) { return is_unknown(zone); });
        return false;
    }
};

Policy::Addresses::Addresses(const config::AddressMatch& match, const config::Config& config,
                             const config::ListContents& lists) {
    auto networks = match.networks;
    for (auto const list : match.lists) {
        auto const& in_place = config.lists[list].networks;
        networks.insert(networks.end(), in_place.begin(), in_place.end());
        if (list < lists.size() && lists[list]) files_.push_back(lists[list]);
    }
    networks_ = config::NetworkSet(std::move(networks));
}

bool Policy::Addresses::contain(const config::Address& address) const {
    return networks_.contains(address) ||
           std::any_of(files_.begin(), files_.end(),
                       [&](auto const& file) { return file->contains(address); });
}

Policy::Policy(const config::Config& config, const config::ListContents& lists) : config_(&config) {
    rules_.reserve(config.rules.size());
    for (auto const& rule : config.rules) {
        auto& compiled = rules_.emplace_back();
        compiled.rule = &rule;
        if (rule.from) compiled.from = Addresses(*rule.from, config, lists);
        if (rule.not_from) compiled.not_from = Addresses(*rule.not_from, config, lists);
    }
    whitelists_.reserve(config.hosts.size());
    for (auto const& host : config.hosts) whitelists_.emplace_back(host.registration.whitelist);
}

Decision Policy::decide(const PolicyRequest& request, const World& world,
                        std::vector<Step>* steps) const {
    Question const question{request, world};
    auto own = decide_for(request.host, question, steps);
    if (own.action != Action::forward || !own.unknown_lists.empty() || !request.other_domain ||
        *request.other_domain == request.host)
        return own;
    auto other = decide_for(*request.other_domain, question, nullptr);
    if (other.action != Action::forward || !other.unknown_lists.empty()) {
        other.by_other_domain = true;
        return other;
    }
    for (auto& use : other.quotas)
        if (!are_counted_together(own.quotas, use)) own.quotas.push_back(std::move(use));
    own.by_invitation |= other.by_invitation;
    return own;
}

Decision Policy::decide_for(std::string_view domain, const Question& question,
                            std::vector<Step>* steps) const {
    Decision decision;
    decision.rule = "default";
    decision.registration = &config_->registration;
    auto const* const host = config_->find_host(domain);
    // A domain that nobody configured is decided by the default alone.
    if (!host) return decision;
    decision.registration = &host->registration;
    for (auto const place : host->registration.rules) {
        auto const& compiled = rules_[place];
        auto const failed = first_failing(compiled, domain, question);
        if (question.unknown) return ask_first(question);
        if (steps) steps->push_back({compiled.rule, failed});
        if (failed) continue;
        decision.action = compiled.rule->action;
        decision.rule = compiled.rule->name;
        decision.decided_by = compiled.rule;
        decision.by_invitation = compiled.rule->invited == true;
        if (compiled.rule->quota) decision.quotas.push_back({compiled.rule, std::string(domain)});
        return decision;
    }
    if (is_whitelisted(*host, question.request.peer)) {
        decision.action = Action::forward;
        decision.rule = "whitelist";
    }
    return decision;
}

// The first key that does not hold; what costs most is looked at last.
std::optional<MatchKey> Policy::first_failing(const CompiledRule& compiled, std::string_view domain,
                                              const Question& question) {
    auto const& rule = *compiled.rule;
    auto const& request = question.request;
    auto const& address = request.peer.address;
    auto const has_name = [&](auto const& pattern) { return pattern.matches(domain); };
    if (!rule.hosts.empty() && std::none_of(rule.hosts.begin(), rule.hosts.end(), has_name))
        return MatchKey::host;
    if (!rule.transports.empty() && std::find(rule.transports.begin(), rule.transports.end(),
                                              request.peer.transport) == rule.transports.end())
        return MatchKey::transport;
    bool const is_invited = !request.invited_to.empty() && request.invited_to == domain;
    if (rule.invited && *rule.invited != is_invited) return MatchKey::invited;
    if (rule.from && !(address && compiled.from.contain(*address))) return MatchKey::from;
    if (rule.not_from && address && compiled.not_from.contain(*address)) return MatchKey::not_from;
    if (rule.during && !question.is_time(*rule.during)) return MatchKey::during;
    if (!rule.countries.empty() && !question.is_in(rule.countries)) return MatchKey::country;
    if (!rule.dns_lists.empty() && !question.is_listed(rule.dns_lists)) return MatchKey::dnsbl;
    if (rule.quota &&
        (question.is_spent(rule, domain) || !question.world.quota_holds(rule, {address, domain})))
        return MatchKey::quota;
    return std::nullopt;
}

// All lists that any of the hosts' rules names are asked at once: asking one after another would
// take as long as all of them together.
Decision Policy::ask_first(const Question& question) const {
    Decision decision;
    auto& zones = decision.unknown_lists;
    auto const& request = question.request;
    for (auto const domain : {request.host, request.other_domain.value_or(request.host)}) {
        auto const* const host = config_->find_host(domain);
        if (!host) continue;
        for (auto const place : host->registration.rules)
            for (auto const& zone : rules_[place].rule->dns_lists)
                if (question.is_unknown(zone)) zones.push_back(zone);
    }
    std::sort(zones.begin(), zones.end());
    zones.erase(std::unique(zones.begin(), zones.end()), zones.end());
    return decision;
}

bool Policy::is_whitelisted(const config::Host& host, const Peer& peer) const {
    auto const place = static_cast<std::size_t>(&host - config_->hosts.data());
    return peer.address && whitelists_[place].contains(*peer.address);
}

}  // namespace stanzagate::filters
