// What is right, but hardly meant.
#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "config/nearest_word.hpp"
#include "config/rule_cover.hpp"
#include "config/rule_keys.hpp"

namespace stanzagate::config {
namespace {

void warn_of_swallowed(const RuleOrder& order, const Config& config, const RuleBook& book,
                       Diagnostics& diagnostics) {
    for (std::size_t i = 1; i < order.rules.size(); ++i) {
        const Rule& later = config.rules[order.rules[i]];
        if (!book.sources[order.rules[i]]->right) continue;
        const auto earlier = std::span(order.rules).first(i);
        const auto found = std::ranges::find_if(earlier, [&](std::size_t place) {
            return book.sources[place]->right && swallows(config.rules[place], later);
        });
        if (found == earlier.end()) continue;
        const Rule& first = config.rules[*found];
        report_once(Diagnostic{Severity::warning, later.where,
                               "rule.name: " + in_quotes(later.name) +
                                   " can never match: " + in_quotes(first.name) + " (" +
                                   first.where.file + ", line " + std::to_string(first.where.line) +
                                   ") comes before it and matches all that this rule does"},
                    diagnostics);
    }
}

void warn_of_excluded(const Config& config, const RuleBook& book, Diagnostics& diagnostics) {
    for (std::size_t i = 0; i < config.rules.size(); ++i) {
        const Rule& rule = config.rules[i];
        const RuleKeys& keys = *book.sources[i];
        if (!keys.right || !rule.from || !rule.not_from) continue;
        if (is_inside(*rule.from, *rule.not_from))
            report_once(Diagnostic{Severity::warning, keys.not_from->where,
                                   "rule.not_from: excludes all that is in from, so the rule can "
                                   "never match"},
                        diagnostics);
    }
}

// Patterns of rules that none of the hosts that use them is for.
void warn_of_strange_hosts(const Config& config, const RuleBook& book, Diagnostics& diagnostics) {
    for (std::size_t file = 0; file < book.files.size(); ++file) {
        std::vector<HostPattern> served;
        std::vector<std::string> names;
        for (const RuleOrder& order : book.orders) {
            if (std::ranges::find(order.files, file) == order.files.end()) continue;
            for (const std::size_t host : order.hosts) {
                served.push_back(config.hosts[host].name);
                names.push_back(served.back().to_string());
            }
        }
        if (served.empty()) continue;
        for (const RuleKeys& keys : book.files[file].rules) {
            for (std::size_t i = 0; i < keys.rule.hosts.size(); ++i) {
                const HostPattern& pattern = keys.rule.hosts[i];
                const bool known = std::ranges::any_of(served, [&](const HostPattern& host) {
                    return host.covers(pattern) || pattern.covers(host);
                });
                if (known) continue;
                const std::string text = pattern.to_string();
                diagnostics.warning(keys.host_where[i],
                                    "rule.host: no host that uses this rule file is " +
                                        in_quotes(text) + did_you_mean(text, names));
            }
        }
    }
}

void warn_of_missing_doors(const Config& config, const RuleBook& book, Diagnostics& diagnostics) {
    for (std::size_t i = 0; i < config.rules.size(); ++i) {
        const Rule& rule = config.rules[i];
        if (!book.sources[i]->right || rule.transports.empty()) continue;
        const bool can_match = std::ranges::any_of(rule.transports, [&](Transport transport) {
            return std::ranges::any_of(
                config.listen, [&](const Listen& listen) { return listen.brings(transport); });
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
    for (const RuleOrder& order : book.orders) warn_of_swallowed(order, config, book, diagnostics);
    warn_of_excluded(config, book, diagnostics);
    warn_of_strange_hosts(config, book, diagnostics);
    // What was wrong may have been what uses a list, or a listener.
    if (diagnostics.has_errors()) return;
    warn_of_unused_lists(config, diagnostics);
    warn_of_missing_doors(config, book, diagnostics);
}

}  // namespace stanzagate::config
