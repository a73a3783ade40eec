// Puts the rules of each `rules` key in order, looks up the lists that they name, and checks what
// they say against the hosts that use them.
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "config/nearest_word.hpp"
#include "config/rule_keys.hpp"

namespace stanzagate::config {
namespace {

std::string place_text(const Position& where) {
    return where.file + ", line " + std::to_string(where.line);
}

// The names of one order: a list is visible to all of its files.
struct Names {
    std::map<std::string, std::size_t, std::less<>> lists;
    std::vector<std::string> list_names;
    bool complete = true;  // every file of the order could be understood
};

Names collect_names(const RuleOrder& order, const RuleBook& book, const Config& config,
                    Diagnostics& diagnostics) {
    Names names;
    for (const std::size_t file : order.files) {
        names.complete = names.complete && book.files[file].understood;
        for (const std::size_t place : book.files[file].lists) {
            const NamedList& list = config.lists[place];
            const auto [first, is_new] = names.lists.emplace(list.name, place);
            if (is_new) {
                names.list_names.push_back(list.name);
                continue;
            }
            report_once(Diagnostic{Severity::error, list.where,
                                   "lists." + one_line(list.name) +
                                       ": there is a list of this name already, in " +
                                       place_text(config.lists[first->second].where)},
                        diagnostics);
        }
    }
    return names;
}

void check_rule_names(const RuleOrder& order, RuleBook& book, Diagnostics& diagnostics) {
    std::map<std::string, Position> names;
    for (const std::size_t file : order.files) {
        for (RuleKeys& keys : book.files[file].rules) {
            const Rule& rule = keys.rule;
            if (rule.name.empty()) continue;
            const auto [first, is_new] = names.emplace(rule.name, rule.where);
            if (is_new) continue;
            keys.right = false;
            report_once(
                Diagnostic{Severity::error, rule.where,
                           "rule.name: " + in_quotes(rule.name) +
                               " is already the name of a rule in " + place_text(first->second)},
                diagnostics);
        }
    }
}

std::string instead_of(std::string_view name, const std::vector<std::string>& lists) {
    if (lists.empty()) return "; none of the rule files used together has any";
    std::string hint = did_you_mean(name, lists);
    if (!hint.empty()) return hint;
    std::vector<std::string> quoted;
    quoted.reserve(lists.size());
    for (const std::string& list : lists) quoted.push_back(in_quotes(list));
    return lists.size() == 1 ? "; the only one is " + quoted.front()
                             : "; there are " + enumeration(quoted, " and ");
}

std::optional<AddressMatch> look_up(const std::optional<AddressKeys>& keys, const Names& names,
                                    Diagnostics& diagnostics) {
    if (!keys) return std::nullopt;
    AddressMatch match{.networks = keys->networks, .lists = {}};
    for (const auto& [name, where] : keys->lists) {
        if (const auto found = names.lists.find(name); found != names.lists.end()) {
            match.lists.push_back(found->second);
        } else if (names.complete) {
            report_once(Diagnostic{Severity::error, where,
                                   keys->key + ": there is no list " + in_quotes(name) +
                                       instead_of(name, names.list_names)},
                        diagnostics);
        }
    }
    return match;
}

// Two orders share a rule, unless its lists are others there.
std::size_t add_rule(const RuleKeys& keys, Rule rule, Config& config, RuleBook& book) {
    for (std::size_t place = 0; place < config.rules.size(); ++place)
        if (book.sources[place] == &keys && config.rules[place] == rule) return place;
    config.rules.push_back(std::move(rule));
    book.sources.push_back(&keys);
    return config.rules.size() - 1;
}

void resolve_order(RuleOrder& order, RuleBook& book, Config& config, Diagnostics& diagnostics) {
    check_rule_names(order, book, diagnostics);
    const Names names = collect_names(order, book, config, diagnostics);
    for (const std::size_t file : order.files) {
        for (RuleKeys& keys : book.files[file].rules) {
            Rule rule = keys.rule;
            const std::size_t found_before = diagnostics.all().size();
            rule.from = look_up(keys.from, names, diagnostics);
            rule.not_from = look_up(keys.not_from, names, diagnostics);
            if (diagnostics.all().size() != found_before || !names.complete) keys.right = false;
            order.rules.push_back(add_rule(keys, std::move(rule), config, book));
        }
    }
    for (const std::size_t host : order.hosts) config.hosts[host].registration.rules = order.rules;
}

// Whether the rule may decide for some name that the host is for.
bool concerns(const Rule& rule, const Host& host) {
    return rule.hosts.empty() || std::ranges::any_of(rule.hosts, [&](const HostPattern& pattern) {
               return pattern.covers(host.name) || host.name.covers(pattern);
           });
}

// What the rule says, laid over what the host says, must make an answer. False where it cannot.
bool check_answer(const RuleKeys& keys, const Host& host, const RegistrationKeys& registration,
                  Diagnostics& diagnostics) {
    const Rule& rule = keys.rule;
    if (rule.action != Action::redirect && rule.action != Action::refuse) return true;
    // The host's own fault has been reported.
    if (!concerns(rule, host) || find_fault(registration, {})) return true;
    const RegistrationKeys together = merge(registration, keys.answer);
    if (auto fault = find_fault(together, rule.where)) {
        fault->message +=
            " (this rule decides for the host " + in_quotes(host.name.to_string()) + ')';
        diagnostics.add(std::move(*fault));
        return false;
    }
    if (keys.answer.text) report_once(find_doubt(together), diagnostics);
    return true;
}

void check_answers(const RuleBook& book, const Config& config,
                   const std::vector<RegistrationKeys>& merged, Diagnostics& diagnostics) {
    std::set<const RuleKeys*> faulty;  // one host is enough to show it
    for (const RuleOrder& order : book.orders) {
        for (const std::size_t place : order.rules) {
            const RuleKeys* keys = book.sources[place];
            for (const std::size_t host : order.hosts) {
                if (faulty.contains(keys)) break;
                if (!check_answer(*keys, config.hosts[host], merged[host], diagnostics))
                    faulty.insert(keys);
            }
        }
    }
}

void check_countries(const RuleBook& book, const Config& config, Diagnostics& diagnostics) {
    if (config.server.geoip) return;
    for (const RuleFile& file : book.files)
        for (const RuleKeys& keys : file.rules)
            if (keys.country_where)
                diagnostics.error(*keys.country_where,
                                  "rule.country: countries are not known without server.geoip in "
                                  "the main configuration, as in geoip = "
                                  "\"GeoLite2-Country.mmdb\"");
}

}  // namespace

void resolve_rules(Config& config, const RegistrationKeys& global,
                   const std::vector<RegistrationKeys>& merged, const Reading& reading) {
    Diagnostics& diagnostics = reading.diagnostics;
    RuleBook book = read_rule_book(config, global, merged, reading);
    check_countries(book, config, diagnostics);
    for (RuleOrder& order : book.orders) resolve_order(order, book, config, diagnostics);
    check_answers(book, config, merged, diagnostics);
    warn_of_rules(config, book, diagnostics);
}

}  // namespace stanzagate::config
