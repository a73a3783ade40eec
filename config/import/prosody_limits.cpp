#include "config/import/prosody_limits.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>

#include "config/address.hpp"
#include "config/import/toml_text.hpp"
#include "config/quota.hpp"

namespace stanzagate::config {
namespace {

constexpr double most_counted{Quota::most_counted};
constexpr double longest{std::chrono::duration<double>(Quota::longest).count()};

// This module knows networks.
std::vector<std::string> networks(const ProsodyOptions& options,
                                  const std::vector<std::string>& names, ImportNotes& notes) {
    std::vector<std::string> found;
    for (const std::string& name : names) {
        const auto texts = options.list(name);
        if (!texts) continue;
        for (const std::string& text : *texts) {
            if (const auto network = Network::enclosing(text)) {
                found.push_back(network->to_string());
            } else {
                notes.add(options.where(name),
                          name + ": " + in_quotes(text) + " is neither an address nor a network");
            }
        }
        break;
    }
    return found;
}

// Counts as set where its value is not known: what is not known must not open registration.
bool is_allowlist_only(const ProsodyOptions& options) {
    const std::vector<std::string> names{"allowlist_registration_only",
                                         "whitelist_registration_only"};
    const ProsodyOption* option = options.find_any(names);
    const bool unknown =
        option != nullptr && std::holds_alternative<LuaUnknown>(option->value.value);
    return options.boolean(names[0], options.boolean(names[1], unknown));
}

std::string rule(const std::string& name, const std::vector<std::string>& hosts) {
    return "\n[[rule]]\nname   = " + toml_string(name) + "\nhost   = " + toml_list(hosts) + '\n';
}

// The rules for hosts that share everything but their names.
std::string rules_for(const LimitedHost& host, const std::vector<std::string>& names,
                      const std::string& suffix) {
    const ProsodyLimits& limits = host.limits;
    std::string out;
    if (!limits.blocklist.empty())
        out += rule("blocklist" + suffix, names) + "from   = " + toml_list(limits.blocklist) +
               "\naction = \"refuse\"\nrefusal = \"forbidden\"\n";
    if (limits.count <= 0 || host.whitelist.empty()) return out;
    const std::string quota = "quota  = { count = " + std::to_string(std::llround(limits.count)) +
                              ", per = \"" + std::to_string(std::llround(limits.seconds)) +
                              "s\", by = \"address\" }\n";
    std::string whom = "from   = " + toml_list(host.whitelist) + '\n';
    if (!limits.allowlist.empty() && host.whitelist != limits.allowlist)
        whom += "not_from = " + toml_list(limits.allowlist) + '\n';
    out += rule("throttle" + suffix, names) + whom + quota + "action = \"forward\"\n";
    out += rule("throttled" + suffix, names) + whom + "action = \"refuse\"\n";
    return out;
}

}  // namespace

ProsodyLimits prosody_limits(const ProsodyOptions& options, ImportNotes& notes) {
    ProsodyLimits limits;
    limits.blocklist =
        networks(options, {"registration_blocklist", "registration_blacklist"}, notes);
    limits.allowlist = {"127.0.0.1", "::1"};
    if (options.find_any({"registration_allowlist", "registration_whitelist"}) != nullptr) {
        // The redirect has noted what is wrong with its list.
        Diagnostics ignored;
        ImportNotes said(ignored);
        limits.allowlist = networks(options, {"registration_allowlist", "registration_whitelist"},
                                    options.find("registration_allowlist") ? notes : said);
    }
    limits.allowlist_only = is_allowlist_only(options);
    const auto seconds = options.number("min_seconds_between_registrations");
    limits.count = options.number("registration_throttle_max").value_or(seconds ? 1 : 0);
    limits.seconds = options.number("registration_throttle_period").value_or(seconds.value_or(0));
    const bool sensible = limits.count >= 1 && limits.seconds >= 1;  // which nan is not
    if (!sensible) limits.count = limits.seconds = 0;
    if (limits.count > most_counted) {
        notes.add(options.where("registration_throttle_max"),
                  "registration_throttle_max: the gate counts to 1000000 at most, and so does the "
                  "rule");
        limits.count = most_counted;
    }
    if (limits.seconds > longest) {
        notes.add(options.where("registration_throttle_period"),
                  "registration_throttle_period: the gate counts for 366 days at most, and so does "
                  "the rule");
        limits.seconds = longest;
    }
    return limits;
}

std::string limits_rules(const std::vector<LimitedHost>& hosts) {
    std::string out;
    std::vector<bool> done(hosts.size());
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        if (done[i]) continue;
        std::vector<std::string> names;
        for (std::size_t j = i; j < hosts.size(); ++j) {
            if (hosts[j].limits != hosts[i].limits || hosts[j].whitelist != hosts[i].whitelist)
                continue;
            names.push_back(hosts[j].name);
            done[j] = true;
        }
        out += rules_for(hosts[i], names, i == 0 ? "" : "-" + hosts[i].name);
    }
    return out;
}

}  // namespace stanzagate::config
