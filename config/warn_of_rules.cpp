// What is right, but hardly meant.
#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/nearest_word.hpp"
#include "config/rule_cover.hpp"
#include "config/rule_keys.hpp"

namespace stanzagate::config {
namespace {

// All doors that some listener has; every one there is while something is wrong, which may have
// been a listener.
std::vector<Transport> doors_of(const Config& config, const Diagnostics& diagnostics) {
    std::vector<Transport> doors{Transport::starttls, Transport::direct, Transport::websocket,
                                 Transport::bosh};
    if (diagnostics.has_errors()) return doors;
    std::erase_if(doors, [&](Transport transport) {
        return std::ranges::none_of(config.listen,
                                    [&](const Listen& listen) { return listen.brings(transport); });
    });
    return doors;
}

// The host that names of the pattern come to, but for those that have a closer host.
const Host* server_of(const Config& config, const HostPattern& pattern) {
    return config.find_host(pattern.to_string());  // "*.example.org" is below example.org, too
}

bool is_served_by(const RuleOrder& order, const Config& config, const HostPattern& pattern) {
    const Host* const server = server_of(config, pattern);
    return std::ranges::any_of(order.hosts,
                               [&](std::size_t host) { return &config.hosts[host] == server; });
}

// Finds the rules that stand behind one which matches all that they do. A rule that is used in
// several orders is one of them only where that is so in each.
class Swallowed {
public:
    Swallowed(const Config& config, const RuleBook& book, std::vector<Transport> doors)
        : config_(config), book_(book), doors_(std::move(doors)) {
        covers_.reserve(config.rules.size());
        for (const Rule& rule : config.rules) covers_.emplace_back(rule, config.lists);
    }

    void look_through(const RuleOrder& order) {
        Traffic traffic{.hosts = {}, .transports = doors_};
        for (const std::size_t host : order.hosts)
            traffic.hosts.push_back(config_.hosts[host].name);
        for (std::size_t i = 0; i < order.rules.size(); ++i) {
            const std::size_t place = order.rules[i];
            const RuleCover& cover = covers_[place];
            if (!book_.sources[place]->right || cover.is_for_nobody() || cover.excludes_itself())
                continue;
            Traffic let_in = cover.lets_in(traffic);
            std::erase_if(let_in.hosts, [&](const HostPattern& pattern) {
                return !is_served_by(order, config_, pattern);
            });
            if (let_in.empty()) continue;
            const auto earlier = std::span(order.rules).first(i);
            const auto found = std::ranges::find_if(earlier, [&](std::size_t before) {
                return book_.sources[before]->right && covers_[before].swallows(cover, let_in);
            });
            note(place, found == earlier.end() ? nullptr : &config_.rules[*found]);
        }
    }

    void warn(Diagnostics& diagnostics) const {
        for (const Found& one : found_) {
            if (one.by == nullptr) continue;
            diagnostics.warning(one.rule->where,
                                "rule.name: " + in_quotes(one.rule->name) + " can never match: " +
                                    in_quotes(one.by->name) + " (" + one.by->where.file +
                                    ", line " + std::to_string(one.by->where.line) +
                                    ") comes before it and matches all that this rule does");
        }
    }

private:
    struct Found {
        const Rule* rule;
        const Rule* by;  // nullptr: it matches somewhere
    };

    void note(std::size_t place, const Rule* by) {
        const RuleKeys* const source = book_.sources[place];
        const auto [index, is_new] = places_.emplace(source, found_.size());
        if (is_new)
            found_.push_back({&config_.rules[place], by});
        else if (by == nullptr)
            found_[index->second].by = nullptr;
    }

    const Config& config_;
    const RuleBook& book_;
    std::vector<Transport> doors_;
    std::vector<RuleCover> covers_;  // of each of Config::rules
    std::vector<Found> found_;
    std::map<const RuleKeys*, std::size_t> places_;  // in found_
};

void warn_of_excluded(const Config& config, const RuleBook& book, Diagnostics& diagnostics) {
    for (std::size_t i = 0; i < config.rules.size(); ++i) {
        const RuleKeys& keys = *book.sources[i];
        if (!keys.right) continue;
        const RuleCover cover(config.rules[i], config.lists);
        if (cover.is_for_nobody())
            report_once(Diagnostic{Severity::warning, keys.from->where,
                                   "rule.from: names empty lists only, so the rule can never "
                                   "match"},
                        diagnostics);
        else if (cover.excludes_itself())
            report_once(Diagnostic{Severity::warning, keys.not_from->where,
                                   "rule.not_from: excludes all that is in from, so the rule can "
                                   "never match"},
                        diagnostics);
    }
}

void warn_of_unspent_quotas(const RuleBook& book, Diagnostics& diagnostics) {
    for (const RuleFile& file : book.files)
        for (const RuleKeys& keys : file.rules)
            if (keys.right && keys.rule.quota && !spends_quota(keys.rule))
                diagnostics.warning(
                    keys.quota_where,
                    "rule.quota: never spent, since this rule forwards nothing: it matches as if "
                    "it had no quota. To let some register and refuse the others, put the quota "
                    "into a rule with action = \"forward\" that stands before this one");
}

// Patterns of rules whose names come to none of the hosts that use them.
class StrangeHosts {
public:
    StrangeHosts(const Config& config, const RuleBook& book, std::size_t file) : config_(config) {
        for (const RuleOrder& order : book.orders) {
            if (std::ranges::find(order.files, file) == order.files.end()) continue;
            for (const std::size_t host : order.hosts) users_.push_back(&config.hosts[host]);
        }
    }

    void warn(const RuleFile& file, Diagnostics& diagnostics) const {
        if (users_.empty()) return;
        for (const RuleKeys& keys : file.rules)
            for (std::size_t i = 0; i < keys.rule.hosts.size(); ++i)
                if (const auto why = why_strange(keys.rule.hosts[i]))
                    diagnostics.warning(keys.host_where[i], "rule.host: " + *why);
    }

private:
    std::optional<std::string> why_strange(const HostPattern& pattern) const {
        bool is_covered = false;
        for (const Host* user : users_) {
            if (pattern.covers(user->name)) return std::nullopt;
            is_covered = is_covered || user->name.covers(pattern);
        }
        const std::string text = pattern.to_string();
        if (!is_covered) {
            std::vector<std::string> names;
            names.reserve(users_.size());
            for (const Host* user : users_) names.push_back(user->name.to_string());
            return "no host that uses this rule file is " + in_quotes(text) +
                   did_you_mean(text, names);
        }
        const Host* const server = server_of(config_, pattern);
        if (server == nullptr || std::ranges::find(users_, server) != users_.end())
            return std::nullopt;
        return in_quotes(text) + " is served by another host (" + server->where.file + ", line " +
               std::to_string(server->where.line) + "), which does not use this rule file";
    }

    const Config& config_;
    std::vector<const Host*> users_;
};

void warn_of_strange_hosts(const Config& config, const RuleBook& book, Diagnostics& diagnostics) {
    for (std::size_t file = 0; file < book.files.size(); ++file)
        StrangeHosts(config, book, file).warn(book.files[file], diagnostics);
}

void warn_of_missing_doors(const Config& config, const RuleBook& book, Diagnostics& diagnostics) {
    const std::vector<Transport> doors = doors_of(config, diagnostics);
    for (std::size_t i = 0; i < config.rules.size(); ++i) {
        const Rule& rule = config.rules[i];
        if (!book.sources[i]->right || rule.transports.empty()) continue;
        const bool can_match = std::ranges::any_of(rule.transports, [&](Transport transport) {
            return std::ranges::find(doors, transport) != doors.end();
        });
        if (!can_match)
            report_once(Diagnostic{Severity::warning, book.sources[i]->transport_where,
                                   "rule.transport: no listener has such a door, so the rule can "
                                   "never match"},
                        diagnostics);
    }
}

void warn_of_unused_lists(const Config& config, Diagnostics& diagnostics) {
    std::vector<bool> used(config.lists.size());
    const auto note = [&](const std::optional<AddressMatch>& match) {
        if (!match) return;
        for (const std::size_t place : match->lists) used[place] = true;
    };
    for (const Rule& rule : config.rules) {
        note(rule.from);
        note(rule.not_from);
    }
    for (std::size_t i = 0; i < used.size(); ++i)
        if (!used[i])
            diagnostics.warning(config.lists[i].where, "lists." + one_line(config.lists[i].name) +
                                                           ": no rule uses this list");
}

}  // namespace

void warn_of_rules(const Config& config, const RuleBook& book, Diagnostics& diagnostics) {
    Swallowed swallowed(config, book, doors_of(config, diagnostics));
    for (const RuleOrder& order : book.orders) swallowed.look_through(order);
    swallowed.warn(diagnostics);
    warn_of_excluded(config, book, diagnostics);
    warn_of_unspent_quotas(book, diagnostics);
    warn_of_strange_hosts(config, book, diagnostics);
    // What was wrong may have been what uses a list, or a listener.
    if (diagnostics.has_errors()) return;
    warn_of_unused_lists(config, diagnostics);
    warn_of_missing_doors(config, book, diagnostics);
}

}  // namespace stanzagate::config
