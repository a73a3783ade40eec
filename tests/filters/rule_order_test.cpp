// Several rules: which decides, for which of a request's domains, and what it needs to know.
#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/config/named_case.hpp"
#include "tests/filters/rules_folder.hpp"
#include "tests/filters/test_config.hpp"
#include "tests/filters/test_world.hpp"

namespace stanzagate::filters {
namespace {

// What it does is its name, up to a '-'.
std::string rule(std::string_view name, std::string_view keys = {}) {
    return "[[rule]]\nname = '" + std::string(name) + "'\naction = '" +
           std::string(name.substr(0, name.find('-'))) + "'\n" + std::string(keys) + '\n';
}

struct Registered {
    std::string_view from;
    std::string_view host = "example.org";
    std::size_t rule = 0;
};

struct Asks {
    std::string_view from = stranger;
    std::string_view host = "example.org";
    std::optional<std::string_view> other = std::nullopt;
    std::string_view invited_to = "";
    std::vector<std::string> unasked = {};
    std::vector<std::string> listed = {};
    std::vector<std::string> asked = {};
    std::vector<Registered> before = {};  // within the hour
};

struct Case {
    const char* name;
    std::string rules;
    Asks who;
    std::string_view decided_by;  // "" where lists have to be asked first
    std::vector<std::string> unknown = {};
    std::vector<std::string> quotas = {};  // "RULE DOMAIN" of those it uses
    bool by_invitation = false;
    bool by_other = false;
};

void PrintTo(const Case& test, std::ostream* out) {
    *out << test.rules;
}

Action action_of(std::string_view rule) {
    if (rule == "whitelist" || rule.starts_with("forward")) return Action::forward;
    if (rule.starts_with("refuse")) return Action::refuse;
    return rule.starts_with("close") ? Action::close : Action::redirect;
}

class RuleOrder : public testing::TestWithParam<Case> {};

TEST_P(RuleOrder, DecidesByTheFirstThatMatches) {
    auto const& test = GetParam();
    auto const& who = test.who;
    RulesFolder const folder(test.rules);
    auto const config = folder.load();
    Policy const policy(config);
    auto const peer = peer_at(who.from);
    TestWorld world;
    world.unasked.insert(who.unasked.begin(), who.unasked.end());
    world.listing.insert(who.listed.begin(), who.listed.end());
    for (auto const& [from, host, place] : who.before) {
        auto const earlier = peer_at(from);
        auto reservation = world.reserve(config.rules.at(place), {earlier.address, host});
        ASSERT_TRUE(reservation);
        world.commit(*std::move(reservation));
    }
    auto const decision = policy.decide({.host = who.host,
                                         .other_domain = who.other,
                                         .peer = peer,
                                         .kind = RequestKind::set,
                                         .invited_to = who.invited_to,
                                         .asked = who.asked},
                                        world);
    EXPECT_EQ(decision.unknown_lists, test.unknown);
    if (!test.unknown.empty()) return;
    EXPECT_EQ(decision.rule, test.decided_by);
    EXPECT_EQ(decision.action, action_of(test.decided_by));
    EXPECT_EQ(decision.by_other_domain, test.by_other);
    if (decision.action != Action::forward) return;
    EXPECT_EQ(decision.by_invitation, test.by_invitation);
    std::vector<std::string> quotas;
    for (auto const& use : decision.quotas) quotas.push_back(use.rule->name + ' ' + use.domain);
    EXPECT_EQ(quotas, test.quotas);
}

INSTANTIATE_TEST_SUITE_P(
    Order, RuleOrder,
    testing::Values(
        Case{"no_rules", "", {}, "default"},
        Case{"no_rules_whitelisted", "", {.from = whitelisted}, "whitelist"},
        Case{"first_of_two", rule("refuse") + rule("forward"), {}, "refuse"},
        Case{"the_other_way", rule("forward") + rule("refuse"), {}, "forward"},
        Case{"second_matches", rule("refuse", "from = '203.0.113.1'") + rule("close"), {}, "close"},
        Case{"none_matches",
             rule("refuse", "from = '203.0.113.1'") + rule("close", "invited = true"),
             {},
             "default"},
        Case{"whitelist_after_them",
             rule("refuse", "from = '203.0.113.1'"),
             {.from = whitelisted},
             "whitelist"},
        Case{"before_the_whitelist", rule("close"), {.from = whitelisted}, "close"},
        Case{"redirect_before_the_whitelist", rule("redirect"), {.from = whitelisted}, "redirect"},
        Case{"not_for_other_rule_orders", rule("forward"), {.host = "own.example"}, "default"},
        Case{"whitelist_of_own_order",
             rule("refuse"),
             {.from = whitelisted, .host = "own.example"},
             "whitelist"},
        Case{"strict_has_no_whitelist",
             "",
             {.from = whitelisted, .host = "strict.example"},
             "default"},
        Case{"rules_of_strict",
             rule("forward", "from = '192.0.2.0/24'"),
             {.from = whitelisted, .host = "strict.example"},
             "forward"},
        Case{"nobodys_host", rule("forward"), {.host = "nobody.example"}, "default"},
        Case{"nobodys_host_whitelisted",
             "",
             {.from = whitelisted, .host = "nobody.example"},
             "default"},
        Case{"no_address_no_whitelist", "", {.from = ""}, "default"}),
    config::NamedCase());

INSTANTIATE_TEST_SUITE_P(
    Domains, RuleOrder,
    testing::Values(
        Case{"both_forward", rule("forward"), {.other = "second.example"}, "forward"},
        Case{"own_does_not",
             rule("refuse", "host = 'example.org'") + rule("forward"),
             {.other = "second.example"},
             "refuse"},
        Case{"other_does_not",
             rule("refuse", "host = 'second.example'") + rule("forward"),
             {.other = "second.example"},
             "refuse",
             {},
             {},
             false,
             true},
        Case{"neither_does",
             rule("refuse", "host = 'example.org'") + rule("close"),
             {.other = "second.example"},
             "refuse"},
        Case{"same_twice",
             rule("forward", "quota = { count = 2, per = '1h', by = 'all' }"),
             {.other = "example.org"},
             "forward",
             {},
             {"forward example.org"}},
        Case{"other_is_nobodys",
             rule("forward"),
             {.other = "nobody.example"},
             "default",
             {},
             {},
             false,
             true},
        Case{"other_has_own_order",
             rule("forward"),
             {.other = "own.example"},
             "default",
             {},
             {},
             false,
             true},
        Case{"quotas_of_both",
             rule("forward-1",
                  "host = 'example.org'\nquota = { count = 1, per = '1h', by = 'all' }") +
                 rule("forward-2", "quota = { count = 1, per = '1h', by = 'all' }"),
             {.other = "second.example"},
             "forward-1",
             {},
             {"forward-1 example.org", "forward-2 second.example"}},
        Case{"one_quota_by_host_for_both",
             rule("forward", "quota = { count = 1, per = '1h', by = 'host' }"),
             {.other = "second.example"},
             "forward",
             {},
             {"forward example.org", "forward second.example"}},
        // One registration is counted once by whatever does not tell the hosts apart.
        Case{"one_quota_by_address_for_both",
             rule("forward", "quota = { count = 1, per = '1h', by = 'address' }"),
             {.other = "second.example"},
             "forward",
             {},
             {"forward example.org"}},
        Case{"quota_of_the_other_alone",
             rule("forward-1", "host = 'example.org'") +
                 rule("forward-2", "quota = { count = 1, per = '1h', by = 'all' }"),
             {.other = "second.example"},
             "forward-1",
             {},
             {"forward-2 second.example"}},
        Case{"quota_of_the_other_is_spent",
             rule("forward-1", "quota = { count = 1, per = '1h', by = 'host' }"),
             {.other = "second.example", .before = {{stranger, "second.example"}}},
             "default",
             {},
             {},
             false,
             true},
        Case{"invitation_of_the_other",
             rule("forward-1", "host = 'example.org'") + rule("forward-2", "invited = true"),
             {.other = "second.example", .invited_to = "second.example"},
             "forward-1",
             {},
             {},
             true},
        Case{"invitation_of_a_third",
             rule("forward-1", "host = 'example.org'") + rule("forward-2", "invited = true"),
             {.other = "second.example", .invited_to = "example.org"},
             "default",
             {},
             {},
             false,
             true},
        Case{"invitation_of_the_own",
             rule("forward-1", "host = 'example.org'\ninvited = true") + rule("forward-2"),
             {.other = "second.example", .invited_to = "example.org"},
             "forward-1",
             {},
             {},
             true},
        Case{"no_invitation_used", rule("forward", "invited = false"), {}, "forward"}),
    config::NamedCase());

std::string one(std::string_view by) {
    return rule("forward", "quota = { count = 1, per = '1h', by = '" + std::string(by) + "' }");
}

INSTANTIATE_TEST_SUITE_P(
    Quota, RuleOrder,
    testing::Values(
        Case{"fresh", one("address"), {}, "forward", {}, {"forward example.org"}},
        Case{"address_spent", one("address"), {.before = {{stranger}}}, "default"},
        Case{"address_of_another",
             one("address"),
             {.before = {{"198.51.100.8"}}},
             "forward",
             {},
             {"forward example.org"}},
        Case{"address_at_another_host",
             one("address"),
             {.before = {{stranger, "second.example"}}},
             "default"},
        Case{"v6_64",
             one("address"),
             {.from = "2001:db9::1", .before = {{"2001:db9::2"}}},
             "default"},
        Case{"v6_another_64",
             one("address"),
             {.from = "2001:db9::1", .before = {{"2001:db9:0:1::1"}}},
             "forward",
             {},
             {"forward example.org"}},
        Case{"network_spent", one("network"), {.before = {{"198.51.100.8"}}}, "default"},
        Case{"another_network",
             one("network"),
             {.before = {{"198.51.101.7"}}},
             "forward",
             {},
             {"forward example.org"}},
        Case{"v6_48",
             one("network"),
             {.from = "2001:db9::1", .before = {{"2001:db9:0:1::1"}}},
             "default"},
        Case{"v6_another_48",
             one("network"),
             {.from = "2001:db9::1", .before = {{"2001:db9:1::1"}}},
             "forward",
             {},
             {"forward example.org"}},
        Case{"host_spent", one("host"), {.before = {{"203.0.113.1"}}}, "default"},
        Case{"another_host",
             one("host"),
             {.before = {{stranger, "second.example"}}},
             "forward",
             {},
             {"forward example.org"}},
        Case{"all_spent", one("all"), {.before = {{"203.0.113.1", "second.example"}}}, "default"},
        Case{"one_of_two_left",
             rule("forward", "quota = { count = 2, per = '1h', by = 'all' }"),
             {.before = {{stranger}}},
             "forward",
             {},
             {"forward example.org"}},
        Case{"no_address_is_one", one("address"), {.from = "", .before = {{""}}}, "default"},
        Case{"no_address_is_nobody_else",
             one("address"),
             {.from = "", .before = {{stranger}}},
             "forward",
             {},
             {"forward example.org"}},
        Case{"spent_whitelisted",
             one("all"),
             {.from = whitelisted, .before = {{stranger}}},
             "whitelist"},
        Case{"of_a_redirect",
             rule("redirect", "quota = { count = 1, per = '1h', by = 'all' }") + rule("close"),
             {.before = {{stranger}}},
             "close"},
        Case{"next_rule", one("all") + rule("refuse"), {.before = {{stranger}}}, "refuse"}),
    config::NamedCase());

INSTANTIATE_TEST_SUITE_P(
    Lists, RuleOrder,
    testing::Values(
        Case{"unasked",
             rule("refuse", "dnsbl = 'a.example'"),
             {.unasked = {"a.example"}},
             "",
             {"a.example"}},
        Case{"unasked_is_not_listed",
             rule("refuse", "dnsbl = 'a.example'"),
             {.unasked = {"a.example"}, .asked = {"a.example"}},
             "default"},
        Case{"what_was_not_asked_of_the_other",
             rule("refuse", "dnsbl = 'a.example'") + rule("forward-1", "host = 'example.org'") +
                 rule("close", "dnsbl = 'b.example'") + rule("forward-2", ""),
             {.other = "second.example",
              .unasked = {"a.example", "b.example"},
              .asked = {"a.example"}},
             "",
             {"b.example"}},
        Case{"all_of_the_host",
             rule("refuse", "dnsbl = 'b.example'") +
                 rule("close", "dnsbl = ['a.example', 'b.example', 'c.example']"),
             {.unasked = {"a.example", "b.example"}},
             "",
             {"a.example", "b.example"}},
        Case{"a_listing_is_enough",
             rule("refuse", "dnsbl = ['a.example', 'b.example']"),
             {.unasked = {"a.example"}, .listed = {"b.example"}},
             "refuse"},
        Case{"decided_before",
             rule("forward", "from = '198.51.100.7'") + rule("refuse", "dnsbl = 'a.example'"),
             {.unasked = {"a.example"}},
             "forward"},
        Case{"not_asked_in_vain",
             rule("refuse", "from = '203.0.113.1'\ndnsbl = 'a.example'"),
             {.unasked = {"a.example"}},
             "default"},
        Case{"no_address_to_ask_of",
             rule("refuse", "dnsbl = 'a.example'"),
             {.from = "", .unasked = {"a.example"}},
             "default"},
        Case{"of_the_other",
             rule("refuse", "host = 'second.example'\ndnsbl = 'a.example'") + rule("forward"),
             {.other = "second.example", .unasked = {"a.example"}},
             "",
             {"a.example"}},
        Case{"not_of_the_other_if_own_redirects",
             rule("redirect", "host = 'example.org'") + rule("refuse", "dnsbl = 'a.example'"),
             {.other = "second.example", .unasked = {"a.example"}},
             "redirect"}),
    config::NamedCase());

TEST(RuleFileOrder, FilesByNameAndRulesWithinThem) {
    RulesFolder const folder({{"rules-2.toml", rule("close", "from = '198.51.0.0/16'")},
                              {"rules-1.toml", rule("refuse", "from = '198.51.100.0/24'") +
                                                   rule("forward", "from = '198.0.0.0/8'")},
                              {"own.toml", rule("redirect-own")}});
    auto const config = folder.load();
    Policy const policy(config);
    for (auto const& [host, from, expected] :
         {std::tuple("example.org", "198.51.100.7", "refuse"),
          std::tuple("example.org", "198.51.1.1", "forward"),
          std::tuple("example.org", "203.0.113.1", "default"),
          std::tuple("own.example", "198.51.100.7", "redirect-own"),
          std::tuple("own.example", "192.0.2.1", "redirect-own")}) {
        auto const peer = peer_at(from);
        auto const decision =
            policy.decide({.host = host, .other_domain = std::nullopt, .peer = peer}, TestWorld());
        EXPECT_EQ(decision.rule, expected) << host << ' ' << from;
    }
}

}  // namespace
}  // namespace stanzagate::filters
