#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/registration_keys.hpp"
#include "config/section.hpp"

// Rule files as written, and how they come together. Only for the readers.
namespace stanzagate::config {

// Addresses as written: the lists are not looked up yet.
struct AddressKeys {
    std::vector<Network> networks;
    std::vector<Located<std::string>> lists;  // what follows the "@"
    std::string key;                          // for messages: "rule.from"
    Position where;
};

struct RuleKeys {
    Rule rule;  // its from and not_from are filled by resolve_rules()
    std::optional<AddressKeys> from;
    std::optional<AddressKeys> not_from;
    std::vector<Position> host_where;  // of each of rule.hosts
    std::optional<Position> country_where;
    Position transport_where;
    Position quota_where;
    RegistrationKeys answer;
    bool right = true;  // nothing wrong was found in it
};

struct RuleFile {
    std::filesystem::path file;
    std::vector<std::size_t> lists;  // places in Config::lists
    std::vector<RuleKeys> rules;
    bool understood = false;  // it could be read, and is TOML
};

// One `rules` key, and what came of it.
struct RuleOrder {
    Given<std::vector<Located<std::string>>> key;
    std::vector<std::size_t> hosts;  // those that it decides for: places in Config::hosts
    std::vector<std::size_t> files;  // places in RuleBook::files
    std::vector<std::size_t> rules;  // places in Config::rules
};

// All rule files, each read once.
struct RuleBook {
    std::vector<RuleFile> files;
    std::vector<RuleOrder> orders;
    std::vector<const RuleKeys*> sources;  // of each of Config::rules
};

RuleKeys read_rule(Section section);
// Its lists are added to `lists`.
RuleFile read_rule_file(const std::filesystem::path& file, std::vector<NamedList>& lists,
                        Diagnostics& diagnostics);

// Finds and reads the files of every `rules` key. `merged` has the keys of each host.
RuleBook read_rule_book(Config& config, const RegistrationKeys& global,
                        const std::vector<RegistrationKeys>& merged, const Reading& reading);

// Fills Config::rules and Config::lists, and the `rules` of each host's registration; checks that
// every rule can answer for every host that it decides for.
void resolve_rules(Config& config, const RegistrationKeys& global,
                   const std::vector<RegistrationKeys>& merged, const Reading& reading);

// Warns of what is likely a mistake: a rule that can never match, a quota that nothing spends, a
// list that no rule names.
void warn_of_rules(const Config& config, const RuleBook& book, Diagnostics& diagnostics);

}  // namespace stanzagate::config
