// [[rule]] in a rule file.
#include <algorithm>
#include <chrono>
#include <string>

#include "config/host_name.hpp"
#include "config/readers.hpp"
#include "config/rule_keys.hpp"

namespace stanzagate::config {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view never_matches =
    "an empty list, with which the rule could never match; leave the key out to match everybody";

void read_name(Section& section, Rule& rule) {
    rule.where = section.where("name");
    if (!section.has("name")) {
        section.missing("name", "what logs and metrics call this rule, as in name = \"office\"");
        return;
    }
    constexpr std::size_t longest = 100;
    if (!section.string("name", rule.name)) return;
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    if (rule.name == "whitelist" || rule.name == "default") {
        section.error("name", in_quotes(rule.name) +
                                  " is the name of a rule that [registration] makes; take another");
    } else if (rule.name.empty() || rule.name.size() > longest ||
               std::ranges::any_of(rule.name, is_control)) {
        section.error("name",
                      in_quotes(rule.name) +
                          " is not a name; write 1 to 100 bytes without control characters");
    }
}

// The strings of a key that lists what the rule matches.
std::vector<Located<std::string>> read_list(Section& section, std::string_view key,
                                            std::string_view if_empty = never_matches) {
    std::vector<Located<std::string>> texts;
    if (section.strings(key, texts) && texts.empty()) section.error(key, std::string(if_empty));
    return texts;
}

void read_hosts(Section& section, RuleKeys& keys) {
    for (const auto& [text, where] : read_list(section, "host")) {
        auto parsed = parse_host_pattern(text);
        if (auto* wrong = std::get_if<std::string>(&parsed)) {
            section.error("host", where, std::move(*wrong));
            continue;
        }
        keys.rule.hosts.push_back(std::move(std::get<HostPattern>(parsed)));
        keys.host_where.push_back(where);
    }
}

std::optional<AddressKeys> read_addresses(Section& section, std::string_view key,
                                          std::string_view if_empty) {
    if (!section.has(key)) return std::nullopt;
    AddressKeys addresses;
    addresses.key = section.dotted(key);
    addresses.where = section.where(key);
    for (auto& written : read_list(section, key, if_empty)) {
        if (written.value.starts_with('@')) {
            written.value.erase(0, 1);
            addresses.lists.push_back(std::move(written));
        } else if (const auto network = read_network(section, key, written)) {
            addresses.networks.push_back(*network);
        }
    }
    return addresses;
}

void read_countries(Section& section, RuleKeys& keys) {
    if (!section.has("country")) return;
    keys.country_where = section.where("country");
    for (const auto& [text, where] : read_list(section, "country")) {
        std::string code = ascii_lower(text);
        const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
        if (code.size() != 2 || !std::ranges::all_of(code, is_letter)) {
            section.error("country", where,
                          in_quotes(text) +
                              " is not a country; write the two letters of ISO 3166, as in \"SE\"");
            continue;
        }
        if (code == "uk") {
            section.error("country", where,
                          in_quotes(text) + " is not a code of ISO 3166; did you mean \"GB\"?");
            continue;
        }
        for (char& c : code) c = static_cast<char>(c - 'a' + 'A');
        keys.rule.countries.push_back(std::move(code));
    }
}

void read_dns_lists(Section& section, Rule& rule) {
    for (const auto& [text, where] : read_list(section, "dnsbl")) {
        std::string zone = ascii_lower(text);
        if (zone.ends_with('.')) zone.pop_back();
        if (is_host_name(zone) && !Address::parse(zone)) {
            rule.dns_lists.push_back(std::move(zone));
        } else {
            section.error("dnsbl", where,
                          in_quotes(text) +
                              " is not a DNS zone; write its name, as in \"dnsbl.example.net\"");
        }
    }
}

void read_during(Section& section, Rule& rule) {
    std::string text;
    if (!section.string("during", text)) return;
    auto parsed = Schedule::parse(text);
    if (auto* wrong = std::get_if<std::string>(&parsed)) {
        section.error("during", std::move(*wrong));
    } else {
        rule.during = std::move(std::get<Schedule>(parsed));
    }
}

Quota read_quota(Section section) {
    Quota quota;
    section.count("count", quota.count, {1, Quota::most_counted});
    section.duration("per", quota.per, {Quota::shortest, Quota::longest});
    section.choice("by", quota.by,
                   {{"address", QuotaBy::address},
                    {"network", QuotaBy::network},
                    {"host", QuotaBy::host},
                    {"all", QuotaBy::all}});
    if (!section.has("count")) section.missing("count", "how many may register, as in count = 3");
    if (!section.has("per")) section.missing("per", "within what time, as in per = \"1h\"");
    if (!section.has("by"))
        section.missing("by",
                        "who is counted apart: \"address\", \"network\", \"host\" or \"all\"");
    section.finish();
    return quota;
}

// Keys that the action has no use for are not silently ignored.
void check_effects(Section& section, const Rule& rule) {
    const bool answers = rule.action == Action::redirect || rule.action == Action::refuse;
    if (answers) return;
    const std::string why = rule.action == Action::forward
                                ? "has no effect: action = \"forward\" leaves the answer to the "
                                  "server"
                                : "has no effect: action = \"close\" ends the stream with no other "
                                  "answer";
    for (const std::string_view key : {"url", "text", "oob", "refusal"})
        if (section.has(key)) section.error(key, why + "; leave it out");
    if (rule.action == Action::forward && section.has("delay"))
        section.error("delay",
                      "has no effect: action = \"forward\" leaves the answer to the server; leave "
                      "it out");
}

RuleAnswer answer_of(const RegistrationKeys& keys) {
    RuleAnswer answer;
    if (const auto* url = value_of(keys.url)) answer.url = url->text;
    if (const auto* text = value_of(keys.text)) answer.text = *text;
    if (const auto* oob = value_of(keys.oob)) answer.oob = *oob;
    if (const auto* refusal = value_of(keys.refusal)) answer.refusal = *refusal;
    return answer;
}

void read_action(Section& section, RuleKeys& keys) {
    Rule& rule = keys.rule;
    section.duration("delay", rule.delay, {0s, 60s});
    keys.answer = read_answer(section);
    rule.answer = answer_of(keys.answer);
    if (!section.has("action")) {
        section.missing("action", "\"forward\", \"redirect\", \"refuse\" or \"close\"");
        return;
    }
    if (section.choice("action", rule.action,
                       {{"forward", Action::forward},
                        {"redirect", Action::redirect},
                        {"refuse", Action::refuse},
                        {"close", Action::close}}))
        check_effects(section, rule);
}

}  // namespace

RuleKeys read_rule(Section section) {
    const std::size_t found_before = section.reading().diagnostics.all().size();
    RuleKeys keys;
    Rule& rule = keys.rule;
    read_name(section, rule);
    rule.id = section.where().file + ':' + rule.name;
    read_hosts(section, keys);
    keys.from = read_addresses(section, "from", never_matches);
    keys.not_from = read_addresses(section, "not_from",
                                   "an empty list, which excludes nobody; leave the key out");
    if (section.choices("transport", rule.transports,
                        {{"starttls", Transport::starttls},
                         {"direct", Transport::direct},
                         {"websocket", Transport::websocket},
                         {"bosh", Transport::bosh}}) &&
        rule.transports.empty())
        section.error("transport", std::string(never_matches));
    keys.transport_where = section.where("transport");
    read_countries(section, keys);
    read_dns_lists(section, rule);
    bool invited = false;
    if (section.boolean("invited", invited)) rule.invited = invited;
    read_during(section, rule);
    if (auto quota = section.table("quota")) rule.quota = read_quota(std::move(*quota));
    keys.quota_where = section.where("quota");
    read_action(section, keys);
    section.finish();
    keys.right = section.reading().diagnostics.all().size() == found_before;
    return keys;
}

}  // namespace stanzagate::config
