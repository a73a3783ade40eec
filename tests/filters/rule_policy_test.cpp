// One rule, and whether it matches: every key of its own, and some together.
#include <gtest/gtest.h>

#include <chrono>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/config/named_case.hpp"
#include "tests/filters/rules_folder.hpp"
#include "tests/filters/test_config.hpp"
#include "tests/filters/test_world.hpp"

namespace stanzagate::filters {
namespace {

// Who asks, and what is known of him.
struct Asks {
    std::string_view from = stranger;  // "": nobody knows
    std::string_view host = "example.org";
    Transport transport = Transport::starttls;
    RequestKind kind = RequestKind::set;
    bool invited = false;
    std::string_view country = "";
    std::string_view listed = "";  // by which zone
    std::string_view now = "2024-06-05 12:00";
};

// The "2024-06-05 12:00" of UTC.
std::chrono::system_clock::time_point utc(std::string_view text) {
    auto const number = [&](std::size_t at, std::size_t size) {
        return std::stoi(std::string(text.substr(at, size)));
    };
    using namespace std::chrono;
    const sys_days day =
        year(number(0, 4)) / month(static_cast<unsigned>(number(5, 2))) / number(8, 2);
    return day + hours(number(11, 2)) + minutes(number(14, 2));
}

struct Case {
    const char* name;
    std::string_view keys;
    Asks who;
    bool matches;
};

void PrintTo(const Case& test, std::ostream* out) {
    *out << test.keys;
}

class RuleMatches : public testing::TestWithParam<Case> {};

TEST_P(RuleMatches, WhereAllOfItsKeysHold) {
    auto const& who = GetParam().who;
    RulesFolder const folder("[[rule]]\nname = 'it'\naction = 'refuse'\n" +
                             std::string(GetParam().keys));
    auto const config = folder.load();
    Policy const policy(config);
    auto const peer = peer_at(who.from, who.transport);
    TestWorld world;
    world.time = utc(who.now);
    if (peer.address) world.countries[*peer.address] = who.country;
    world.listing.insert(std::string(who.listed));
    std::vector<Step> steps;
    auto const decision = policy.decide({.host = who.host,
                                         .other_domain = std::nullopt,
                                         .peer = peer,
                                         .kind = who.kind,
                                         .invited_to = who.invited ? who.host : ""},
                                        world, &steps);
    bool const matches = GetParam().matches;
    EXPECT_TRUE(decision.unknown_lists.empty());
    if (matches) {
        EXPECT_EQ(decision.rule, "it");
        EXPECT_EQ(decision.action, Action::refuse);
        EXPECT_EQ(decision.decided_by, &config.rules.at(0));
    } else {
        EXPECT_NE(decision.rule, "it");
        EXPECT_EQ(decision.decided_by, nullptr);
    }
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_EQ(steps[0].failed.has_value(), !matches);
    if (steps[0].failed) {
        // The key that is said to fail is one that the rule has.
        auto const key = std::string(to_string(*steps[0].failed));
        EXPECT_NE(("\n" + std::string(GetParam().keys)).find("\n" + key + " ="), std::string::npos)
            << key;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Nothing, RuleMatches,
    testing::Values(Case{"stranger", "", {}, true},
                    Case{"get", "", {.kind = RequestKind::get}, true},
                    Case{"flow", "", {.kind = RequestKind::flow}, true},
                    Case{"no_address", "", {.from = ""}, true},
                    Case{"before_the_whitelist", "", {.from = whitelisted}, true},
                    Case{"invited", "", {.invited = true}, true}),
    config::NamedCase());

INSTANTIATE_TEST_SUITE_P(
    Host, RuleMatches,
    testing::Values(
        Case{"same", "host = 'example.org'", {}, true},
        Case{"other", "host = 'second.example'", {}, false},
        Case{"in_capitals", "host = 'EXAMPLE.Org'", {}, true},
        Case{"one_of", "host = ['second.example', 'example.org']", {}, true},
        Case{"none_of", "host = ['second.example', 'strict.example']", {}, false},
        Case{"any", "host = '*'", {}, true},
        Case{"any_and_another", "host = ['second.example', '*']", {}, true},
        Case{"wildcard", "host = '*.wild.example'", {.host = "a.wild.example"}, true},
        Case{"wildcard_two_labels", "host = '*.wild.example'", {.host = "a.b.wild.example"}, true},
        Case{"wildcard_below", "host = '*.b.wild.example'", {.host = "a.b.wild.example"}, true},
        Case{"wildcard_beside", "host = '*.b.wild.example'", {.host = "b.wild.example"}, false},
        Case{"wildcard_no_dot", "host = '*.b.wild.example'", {.host = "ab.wild.example"}, false},
        Case{"exact_below_wildcard", "host = 'a.wild.example'", {.host = "a.wild.example"}, true},
        Case{"exact_is_not_below", "host = 'a.wild.example'", {.host = "b.a.wild.example"}, false},
        Case{"host_for_a_wildcard", "host = '*.wild.example'", {}, false},
        Case{"no_address", "host = 'example.org'", {.from = ""}, true}),
    config::NamedCase());

INSTANTIATE_TEST_SUITE_P(
    From, RuleMatches,
    testing::Values(
        Case{"address", "from = '198.51.100.7'", {}, true},
        Case{"next_address", "from = '198.51.100.8'", {}, false},
        Case{"network", "from = '198.51.100.0/24'", {}, true},
        Case{"first_of_network", "from = '198.51.100.0/24'", {.from = "198.51.100.0"}, true},
        Case{"last_of_network", "from = '198.51.100.0/24'", {.from = "198.51.100.255"}, true},
        Case{"below_network", "from = '198.51.100.0/24'", {.from = "198.51.99.255"}, false},
        Case{"above_network", "from = '198.51.100.0/24'", {.from = "198.51.101.0"}, false},
        Case{"one_of", "from = ['203.0.113.1', '198.51.100.7']", {}, true},
        Case{"none_of", "from = ['203.0.113.1', '203.0.113.2']", {}, false},
        Case{"all_of_v4", "from = '0.0.0.0/0'", {}, true},
        Case{"all_of_v4_is_not_v6", "from = '0.0.0.0/0'", {.from = "2001:db8::1"}, false},
        Case{"all_of_v6_is_not_v4", "from = '::/0'", {}, false},
        Case{"v6", "from = '2001:db8:1::/48'", {.from = "2001:db8:1:ffff::"}, true},
        Case{"v6_beside", "from = '2001:db8:1::/48'", {.from = "2001:db8:2::"}, false},
        Case{"mapped", "from = '198.51.100.7'", {.from = "::ffff:198.51.100.7"}, true},
        Case{"no_address", "from = ['0.0.0.0/0', '::/0']", {.from = ""}, false},
        Case{"list", "from = '@l'\n[lists]\nl = ['198.51.100.0/24']", {}, true},
        Case{"not_in_list", "from = '@l'\n[lists]\nl = ['203.0.113.0/24']", {}, false},
        Case{"list_or_address",
             "from = ['@l', '198.51.100.7']\n[lists]\nl = ['203.0.113.1']",
             {},
             true},
        Case{"list_no_address", "from = '@l'\n[lists]\nl = ['0.0.0.0/0']", {.from = ""}, false},
        Case{"second_list",
             "from = ['@l', '@m']\n[lists]\nl = ['203.0.113.1']\n"
             "m = ['198.51.100.7']",
             {},
             true}),
    config::NamedCase());

INSTANTIATE_TEST_SUITE_P(
    NotFrom, RuleMatches,
    testing::Values(
        Case{"address", "not_from = '198.51.100.7'", {}, false},
        Case{"next_address", "not_from = '198.51.100.8'", {}, true},
        Case{"network", "not_from = '198.51.100.0/24'", {}, false},
        Case{"one_of", "not_from = ['203.0.113.1', '198.51.100.7']", {}, false},
        Case{"none_of", "not_from = ['203.0.113.1', '203.0.113.2']", {}, true},
        // No list of addresses matches whoever has none.
        Case{"no_address", "not_from = ['0.0.0.0/0', '::/0']", {.from = ""}, true},
        Case{"v6", "not_from = '::/0'", {.from = "2001:db8::1"}, false},
        Case{"v4_of_v6", "not_from = '::/0'", {}, true},
        Case{"list", "not_from = '@l'\n[lists]\nl = ['198.51.100.0/24']", {}, false},
        Case{"not_in_list", "not_from = '@l'\n[lists]\nl = ['203.0.113.0/24']", {}, true},
        Case{"inside_from", "from = '198.51.100.0/24'\nnot_from = '198.51.100.7'", {}, false},
        Case{"beside_in_from", "from = '198.51.100.0/24'\nnot_from = '198.51.100.8'", {}, true},
        Case{"outside_both", "from = '203.0.113.0/24'\nnot_from = '203.0.113.7'", {}, false}),
    config::NamedCase());

INSTANTIATE_TEST_SUITE_P(
    Transport, RuleMatches,
    testing::Values(
        Case{"starttls", "transport = 'starttls'", {}, true},
        Case{"starttls_not_direct",
             "transport = 'starttls'",
             {.transport = Transport::direct},
             false},
        Case{"direct", "transport = 'direct'", {.transport = Transport::direct}, true},
        Case{"direct_not_starttls", "transport = 'direct'", {}, false},
        Case{"websocket", "transport = 'websocket'", {.transport = Transport::websocket}, true},
        Case{
            "websocket_not_bosh", "transport = 'websocket'", {.transport = Transport::bosh}, false},
        Case{"bosh", "transport = 'bosh'", {.transport = Transport::bosh}, true},
        Case{
            "bosh_not_websocket", "transport = 'bosh'", {.transport = Transport::websocket}, false},
        Case{"one_of", "transport = ['bosh', 'starttls']", {}, true},
        Case{"none_of", "transport = ['bosh', 'websocket']", {}, false},
        Case{"no_address", "transport = 'starttls'", {.from = ""}, true}),
    config::NamedCase());

INSTANTIATE_TEST_SUITE_P(
    Country, RuleMatches,
    testing::Values(Case{"same", "country = 'SE'", {.country = "SE"}, true},
                    Case{"other", "country = 'SE'", {.country = "NO"}, false},
                    Case{"one_of", "country = ['NO', 'SE']", {.country = "SE"}, true},
                    Case{"none_of", "country = ['NO', 'DK']", {.country = "SE"}, false},
                    Case{"in_small_letters", "country = 'se'", {.country = "SE"}, true},
                    Case{"unknown", "country = ['SE', 'NO']", {}, false},
                    Case{"unknown_v6", "country = 'SE'", {.from = "2001:db8::1"}, false},
                    Case{"v6", "country = 'SE'", {.from = "2001:db8::1", .country = "SE"}, true},
                    Case{"no_address", "country = 'SE'", {.from = "", .country = "SE"}, false}),
    config::NamedCase());

INSTANTIATE_TEST_SUITE_P(
    Invited, RuleMatches,
    testing::Values(Case{"wanted_and_is", "invited = true", {.invited = true}, true},
                    Case{"wanted_and_is_not", "invited = true", {}, false},
                    Case{"unwanted_and_is", "invited = false", {.invited = true}, false},
                    Case{"unwanted_and_is_not", "invited = false", {}, true},
                    Case{
                        "get", "invited = true", {.kind = RequestKind::get, .invited = true}, true},
                    Case{"no_address", "invited = true", {.from = "", .invited = true}, true}),
    config::NamedCase());

// 2024-06-05 was a Wednesday. In Stockholm the clock was put forward on 2024-03-31 at 01:00 UTC,
// and back on 2024-10-27 at 01:00 UTC.
INSTANTIATE_TEST_SUITE_P(
    During, RuleMatches,
    testing::Values(
        Case{"inside", "during = '08:00-18:00'", {}, true},
        Case{"first_minute", "during = '12:00-18:00'", {}, true},
        Case{"end", "during = '08:00-12:00'", {}, false},
        Case{"before", "during = '12:01-18:00'", {}, false},
        Case{"day", "during = 'Wed 08:00-18:00'", {}, true},
        Case{"another_day", "during = 'Thu 08:00-18:00'", {}, false},
        Case{"days", "during = 'Mon-Fri 08:00-18:00'", {}, true},
        Case{"weekend", "during = 'Sat,Sun 08:00-18:00'", {}, false},
        Case{"zone", "during = '14:00-14:01 Europe/Stockholm'", {}, true},
        Case{"zone_not_utc", "during = '12:00-12:01 Europe/Stockholm'", {}, false},
        Case{"over_midnight", "during = 'Tue 22:00-06:00'", {.now = "2024-06-05 05:59"}, true},
        Case{"after_over_midnight",
             "during = 'Tue 22:00-06:00'",
             {.now = "2024-06-05 06:00"},
             false},
        Case{"before_summer",
             "during = '01:00-02:00 Europe/Stockholm'",
             {.now = "2024-03-31 00:59"},
             true},
        Case{"skipped_hour",
             "during = '02:00-03:00 Europe/Stockholm'",
             {.now = "2024-03-31 01:00"},
             false},
        Case{"in_summer",
             "during = '03:00-04:00 Europe/Stockholm'",
             {.now = "2024-03-31 01:00"},
             true},
        Case{"repeated_hour",
             "during = '02:00-03:00 Europe/Stockholm'",
             {.now = "2024-10-27 00:30"},
             true},
        Case{"repeated_hour_again",
             "during = '02:00-03:00 Europe/Stockholm'",
             {.now = "2024-10-27 01:30"},
             true},
        Case{"after_repeated_hour",
             "during = '02:00-03:00 Europe/Stockholm'",
             {.now = "2024-10-27 02:00"},
             false},
        Case{"no_address", "during = '08:00-18:00'", {.from = ""}, true}),
    config::NamedCase());

INSTANTIATE_TEST_SUITE_P(
    DnsList, RuleMatches,
    testing::Values(
        Case{"listed", "dnsbl = 'a.example'", {.listed = "a.example"}, true},
        Case{"listed_elsewhere", "dnsbl = 'a.example'", {.listed = "b.example"}, false},
        Case{"not_listed", "dnsbl = 'a.example'", {}, false},
        Case{"first_of_two", "dnsbl = ['a.example', 'b.example']", {.listed = "a.example"}, true},
        Case{"second_of_two", "dnsbl = ['a.example', 'b.example']", {.listed = "b.example"}, true},
        Case{"none_of_two", "dnsbl = ['a.example', 'b.example']", {}, false},
        Case{"in_capitals", "dnsbl = 'A.Example.'", {.listed = "a.example"}, true},
        Case{"no_address", "dnsbl = 'a.example'", {.from = "", .listed = "a.example"}, false}),
    config::NamedCase());

constexpr std::string_view all_keys =
    "host = 'example.org'\ntransport = 'starttls'\ninvited = true\nfrom = '198.51.100.0/24'\n"
    "not_from = '198.51.100.128/25'\nduring = '08:00-18:00'\ncountry = 'SE'\n"
    "dnsbl = 'a.example'\nquota = { count = 1, per = '1h', by = 'all' }";

constexpr Asks fits{.invited = true, .country = "SE", .listed = "a.example"};

// `fits` but for one thing.
template <class Change>
Asks but(Change change) {
    auto who = fits;
    change(who);
    return who;
}

INSTANTIATE_TEST_SUITE_P(
    AllKeys, RuleMatches,
    testing::Values(
        Case{"fits", all_keys, fits, true},
        Case{"but_host", all_keys, but([](Asks& who) { who.host = "second.example"; }), false},
        Case{"but_transport", all_keys, but([](Asks& who) { who.transport = Transport::bosh; }),
             false},
        Case{"but_invited", all_keys, but([](Asks& who) { who.invited = false; }), false},
        Case{"but_from", all_keys, but([](Asks& who) { who.from = "203.0.113.1"; }), false},
        Case{"but_not_from", all_keys, but([](Asks& who) { who.from = "198.51.100.200"; }), false},
        Case{"but_during", all_keys, but([](Asks& who) { who.now = "2024-06-05 18:00"; }), false},
        Case{"but_country", all_keys, but([](Asks& who) { who.country = "NO"; }), false},
        Case{"but_dnsbl", all_keys, but([](Asks& who) { who.listed = ""; }), false},
        Case{"but_address", all_keys, but([](Asks& who) { who.from = ""; }), false}),
    config::NamedCase());

TEST(RuleLists, WhatFilesHold) {
    RulesFolder const folder(
        {{"rules-1.toml",
          "lists.spam = { file = 'spam.txt' }\n"
          "[[rule]]\nname = 'close'\naction = 'close'\nfrom = '@spam'\n"
          "[[rule]]\nname = 'forward'\naction = 'forward'\nnot_from = '@spam'\n"},
         {"spam.txt", "# them\n198.51.100.0/24\n2001:db9::/32\n"}});
    auto const config = folder.load();
    auto const rule_for = [&](const Policy& policy, std::string_view from) {
        auto const peer = peer_at(from);
        return std::string(policy
                               .decide({.host = "example.org",
                                        .other_domain = std::nullopt,
                                        .peer = peer,
                                        .invited_to = "example.org"},
                                       TestWorld())
                               .rule);
    };
    Policy const read(config, RulesFolder::lists_of(config));
    EXPECT_EQ(rule_for(read, "198.51.100.7"), "close");
    EXPECT_EQ(rule_for(read, "2001:db9::1"), "close");
    EXPECT_EQ(rule_for(read, "203.0.113.1"), "forward");
    EXPECT_EQ(rule_for(read, ""), "forward");
    // Not read, or not there: nobody is in it.
    for (auto const& lists : {config::ListContents{}, config::ListContents{nullptr}}) {
        Policy const unread(config, lists);
        EXPECT_EQ(rule_for(unread, "198.51.100.7"), "forward");
    }
}

}  // namespace
}  // namespace stanzagate::filters
