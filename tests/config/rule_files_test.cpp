// What rule files become: their values, their order for each host, and the files that patterns
// name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "config/path_pattern.hpp"
#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view before_rules = R"(
server.geoip = "countries.mmdb"
listen = [{ address = "0.0.0.0:443", tls = "direct", serve = ["xmpp", "websocket", "bosh"] }]
[registration]
url = "https://example.org/register"
)";

std::string host(std::string_view name, std::string_view registration = {}) {
    return "[[host]]\nname = \"" + std::string(name) +
           "\"\nself_signed = true\nupstream = \"tcp://192.0.2.10:5222\"\n" +
           std::string(registration) + '\n';
}

std::string rule(std::string_view name, std::string_view keys = "action = \"forward\"") {
    return "[[rule]]\nname = \"" + std::string(name) + "\"\n" + std::string(keys) + '\n';
}

// A rule that no other one of these swallows.
std::string rule_for(std::string_view name, std::string_view address) {
    return rule(name, "from = \"" + std::string(address) + "\"\naction = \"forward\"");
}

class RuleFiles : public testing::Test {
protected:
    void SetUp() override { fs::create_directories(folder_); }
    void TearDown() override { fs::remove_all(folder_); }

    void write(const std::string& file, std::string_view text) {
        fs::create_directories((folder_ / file).parent_path());
        std::ofstream(folder_ / file) << text;
    }

    // The configuration, which must be right.
    Config loaded(const std::string& text) {
        Diagnostics diagnostics;
        auto config =
            load_text(std::string(before_rules) + text, folder_ / "gate.toml", diagnostics);
        for (const Diagnostic& one : diagnostics.all()) ADD_FAILURE() << one.to_string();
        return config.value_or(Config{});
    }

    // The rules that decide for a host, in order.
    static std::vector<std::string> rules_of(const Config& config, std::string_view name) {
        std::vector<std::string> names;
        const Host* found = config.find_host(name);
        if (found == nullptr) return {"no such host"};
        for (const std::size_t place : found->registration.rules)
            names.push_back(config.rules.at(place).name);
        return names;
    }

    std::vector<std::string> matches(std::string_view pattern) {
        std::vector<std::string> names;
        const Matches found = match_files(folder_, pattern);
        EXPECT_THAT(found.faults, IsEmpty());
        for (const fs::path& file : found.files)
            names.push_back(file.lexically_relative(folder_).string());
        return names;
    }

    // Tests may run side by side.
    const fs::path folder_ =
        fs::path(testing::TempDir()) /
        (std::string("stanzagate-") +
         testing::UnitTest::GetInstance()->current_test_info()->test_suite_name() + '-' +
         testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(RuleFiles, ReadsEveryKey) {
    write("sub/a.toml", R"([lists]
office = ["192.0.2.0/24", "2001:db8:1::/48"]
spam = { file = "spam.txt" }
[[rule]]
name = "all keys"
host = ["Example.ORG", "*.example.org", "*"]
from = ["@office", "::ffff:198.51.100.7"]
not_from = "@spam"
transport = ["bosh", "direct"]
country = ["se", "NO"]
dnsbl = "DNSBL.example.net."
invited = false
during = "Mon-Fri 08:00-18:00"
action = "refuse"
delay = "1500ms"
url = "sip:{host}"
text = { en = "no {url}" }
oob = false
refusal = "forbidden"
[[rule]]
name = "counted"
quota = { count = 3, per = "1h", by = "network" }
action = "forward"
)");
    const Config config = loaded("rules = \"sub/a.toml\"\n" + host("*"));
    const std::string file = (folder_ / "sub/a.toml").string();
    EXPECT_EQ(config.server.geoip, folder_ / "countries.mmdb");
    EXPECT_EQ(config.server.geoip_where.line, 2);
    ASSERT_THAT(config.lists, SizeIs(2));
    EXPECT_EQ(config.lists[0].name, "office");
    EXPECT_THAT(config.lists[0].networks,
                ElementsAre(*Network::parse("192.0.2.0/24"), *Network::parse("2001:db8:1::/48")));
    EXPECT_EQ(config.lists[0].file, std::nullopt);
    EXPECT_EQ(config.lists[0].where, (Position{file, 2, 10}));
    EXPECT_EQ(config.lists[1].file, folder_ / "sub/spam.txt");
    EXPECT_EQ(config.lists[1].where, (Position{file, 3, 17}));

    ASSERT_THAT(config.rules, SizeIs(2));
    EXPECT_EQ(config.rules[1].action, Action::forward);
    EXPECT_EQ(config.rules[1].quota, (Quota{.count = 3, .per = 1h, .by = QuotaBy::network}));
    const Rule& rule = config.rules[0];
    EXPECT_EQ(rule.name, "all keys");
    EXPECT_EQ(rule.id, file + ":all keys");
    EXPECT_EQ(rule.where, (Position{file, 5, 8}));
    ASSERT_THAT(rule.hosts, SizeIs(3));
    EXPECT_EQ(rule.hosts[0].to_string(), "example.org");
    EXPECT_EQ(rule.hosts[1].to_string(), "*.example.org");
    EXPECT_EQ(rule.hosts[2].to_string(), "*");
    ASSERT_TRUE(rule.from && rule.not_from && rule.during);
    EXPECT_THAT(rule.from->networks, ElementsAre(*Network::parse("198.51.100.7")));
    EXPECT_THAT(rule.from->lists, ElementsAre(0U));
    EXPECT_THAT(rule.not_from->networks, IsEmpty());
    EXPECT_THAT(rule.not_from->lists, ElementsAre(1U));
    EXPECT_THAT(rule.transports, ElementsAre(Transport::bosh, Transport::direct));
    EXPECT_THAT(rule.countries, ElementsAre("SE", "NO"));
    EXPECT_THAT(rule.dns_lists, ElementsAre("dnsbl.example.net"));
    EXPECT_EQ(rule.invited, false);
    EXPECT_EQ(rule.during->to_string(), "Mon-Fri 08:00-18:00");
    EXPECT_EQ(rule.quota, std::nullopt);
    EXPECT_EQ(rule.action, Action::refuse);
    EXPECT_EQ(rule.delay, 1500ms);
    const TextTemplate::Values values{.host = "H", .url = "U", .address = {}, .lang = {}};
    EXPECT_EQ(rule.answer.url->expand(values), "sip:H");
    ASSERT_THAT(*rule.answer.text, SizeIs(1));
    EXPECT_EQ(rule.answer.text->front().second.expand(values), "no U");
    EXPECT_EQ(rule.answer.oob, false);
    EXPECT_EQ(rule.answer.refusal, Refusal::forbidden);
}

TEST_F(RuleFiles, LeavesOutWhatARuleDoesNotSay) {
    write("a.toml", rule("a", "action = \"close\""));
    const Config config = loaded("rules = \"a.toml\"\n" + host("example.org"));
    Rule bare;
    bare.name = "a";
    bare.id = (folder_ / "a.toml").string() + ":a";
    bare.action = Action::close;
    bare.where = {(folder_ / "a.toml").string(), 2, 8};
    EXPECT_THAT(config.rules, ElementsAre(bare));
    EXPECT_EQ(config.server.geoip, folder_ / "countries.mmdb");
}

TEST_F(RuleFiles, ComeInTheOrderOfThePatterns) {
    write("rules/b.toml", rule_for("b1", "192.0.2.1") + rule_for("b2", "192.0.2.2"));
    write("rules/a.toml", rule_for("a", "192.0.2.3"));
    write("rules/B.toml", rule_for("B", "192.0.2.4"));
    write("last.toml", rule_for("last", "192.0.2.5"));
    const auto order = [&](std::string_view rules) {
        return rules_of(loaded("rules = " + std::string(rules) + '\n' + host("example.org")),
                        "example.org");
    };
    EXPECT_THAT(order(R"(["rules/*.toml", "last.toml"])"),
                ElementsAre("B", "a", "b1", "b2", "last"));
    EXPECT_THAT(order(R"(["last.toml", "rules/*.toml"])"),
                ElementsAre("last", "B", "a", "b1", "b2"));
    // A file that comes twice stays where it was first.
    EXPECT_THAT(order(R"(["rules/b.toml", "rules/*.toml", "rules/../rules/a.toml"])"),
                ElementsAre("b1", "b2", "B", "a"));
    EXPECT_THAT(order('"' + (folder_ / "rules/a.toml").string() + '"'), ElementsAre("a"));
    EXPECT_THAT(order("[]"), IsEmpty());
}

TEST_F(RuleFiles, AreEachHostsOwn) {
    write("a.toml", rule_for("a", "192.0.2.1"));
    write("b.toml", rule_for("b", "192.0.2.2"));
    const Config config =
        loaded("rules = \"a.toml\"\n" + host("first.example") +
               host("second.example", "registration.rules = [\"b.toml\", \"a.toml\"]") +
               host("third.example", "registration.rules = []") +
               host("fourth.example", "registration.url = \"https://fourth.example/\""));
    EXPECT_THAT(rules_of(config, "first.example"), ElementsAre("a"));
    EXPECT_THAT(rules_of(config, "second.example"), ElementsAre("b", "a"));
    EXPECT_THAT(rules_of(config, "third.example"), IsEmpty());
    EXPECT_THAT(rules_of(config, "fourth.example"), ElementsAre("a"));
    // Read once, whoever names it; and unknown names are decided by the default alone.
    EXPECT_THAT(config.rules, SizeIs(2));
    EXPECT_THAT(config.registration.rules, IsEmpty());
}

TEST_F(RuleFiles, SeeTheListsOfTheirOwnOrder) {
    write("common.toml", rule("a", "from = \"@home\"\naction = \"forward\""));
    write("one.toml", "lists.home = [\"192.0.2.1\"]\n");
    write("two.toml", "lists.home = [\"192.0.2.2\"]\n");
    const Config config =
        loaded(host("one.example", "registration.rules = [\"common.toml\", \"one.toml\"]") +
               host("two.example", "registration.rules = [\"common.toml\", \"two.toml\"]"));
    const auto network = [&](std::string_view name) {
        const Rule& found = config.rules.at(config.find_host(name)->registration.rules.at(0));
        return config.lists.at(found.from->lists.at(0)).networks.at(0).to_string();
    };
    EXPECT_EQ(network("one.example"), "192.0.2.1");
    EXPECT_EQ(network("two.example"), "192.0.2.2");
    ASSERT_THAT(config.rules, SizeIs(2));
    EXPECT_EQ(config.rules[0].id, config.rules[1].id);
}

TEST_F(RuleFiles, OverrideWhatTheHostAnswers) {
    write("a.toml", rule("a",
                         "action = \"redirect\"\nurl = \"https://rule.example/\"\n"
                         "refusal = \"forbidden\""));
    const Config config =
        loaded("text = \"{url}\"\noob = false\nrules = \"a.toml\"\n" + host("example.org"));
    const Registration& own = config.hosts[0].registration;
    const Registration answer = with_overrides(own, config.rules[0].answer);
    EXPECT_EQ(answer.url->expand({}), "https://rule.example/");
    EXPECT_EQ(answer.text, own.text);
    EXPECT_FALSE(answer.oob);
    EXPECT_EQ(answer.refusal, Refusal::forbidden);
    EXPECT_EQ(answer.rules, own.rules);
    EXPECT_EQ(with_overrides(own, {}), own);

    RuleAnswer other;
    other.oob = true;
    other.text = RegistrationTexts{{"en", std::get<TextTemplate>(TextTemplate::parse("x"))}};
    EXPECT_TRUE(with_overrides(own, other).oob);
    EXPECT_EQ(with_overrides(own, other).text, *other.text);
    EXPECT_EQ(with_overrides(own, other).refusal, Refusal::not_authorized);
}

TEST_F(RuleFiles, PatternsAreThoseOfAShell) {
    for (const char* file : {"r/a.toml", "r/b.toml", "r/.hidden.toml", "r/a.txt", "r/sub/c.toml",
                             "r-2/a.toml", "[x]/a.toml", "r/d.toml/inside.toml", "r/a\\b.toml"})
        write(file, "");
    EXPECT_THAT(matches("r/*.toml"), ElementsAre("r/a.toml", "r/a\\b.toml", "r/b.toml"));
    EXPECT_THAT(matches("r/?.toml"), ElementsAre("r/a.toml", "r/b.toml"));
    EXPECT_THAT(matches("r/[!a].toml"), ElementsAre("r/b.toml"));
    EXPECT_THAT(matches("r/.*.toml"), ElementsAre("r/.hidden.toml"));
    EXPECT_THAT(matches("r/*/*.toml"), ElementsAre("r/d.toml/inside.toml", "r/sub/c.toml"));
    EXPECT_THAT(matches("r*/a.toml"), ElementsAre("r-2/a.toml", "r/a.toml"));
    EXPECT_THAT(matches("r/a\\*.toml"), ElementsAre("r/a\\b.toml"));
    EXPECT_THAT(matches("none/*.toml"), IsEmpty());
    EXPECT_THAT(matches("r/a.toml/*.toml"), IsEmpty());
    EXPECT_THAT(matches((folder_ / "r/*.txt").string()), ElementsAre("r/a.txt"));
    // The folder's own name is not a pattern.
    EXPECT_THAT(match_files(folder_ / "[x]", "*.toml").files,
                ElementsAre(folder_ / "[x]" / "a.toml"));
}

// A folder that cannot be read must not pass for one without rules.
TEST_F(RuleFiles, AFolderThatCannotBeReadIsAnError) {
    fs::create_directory_symlink(folder_ / "loop", folder_ / "loop");
    Diagnostics diagnostics;
    const std::string text =
        std::string(before_rules) + "rules = \"loop/*.toml\"\n" + host("example.org");
    EXPECT_FALSE(load_text(text, folder_ / "gate.toml", diagnostics));
    ASSERT_THAT(diagnostics.all(), SizeIs(1));
    EXPECT_THAT(diagnostics.all()[0].message,
                testing::HasSubstr("\"loop/*.toml\" cannot be looked for: "));
}

// Nor must a file that a link promises.
TEST_F(RuleFiles, ALinkToNothingIsAnError) {
    write("rules/20-open.toml", rule("open"));
    fs::create_symlink(folder_ / "gone.toml", folder_ / "rules/10-block.toml");
    fs::create_directory_symlink(folder_ / "gone", folder_ / "sites");
    Diagnostics diagnostics;
    const std::string text = std::string(before_rules) +
                             "rules = [\"rules/*.toml\", \"s*/*.toml\"]\n" + host("example.org");
    EXPECT_FALSE(load_text(text, folder_ / "gate.toml", diagnostics));
    ASSERT_THAT(diagnostics.all(), SizeIs(2));
    EXPECT_THAT(diagnostics.all()[0].message,
                testing::AllOf(testing::HasSubstr("\"rules/*.toml\" cannot be looked for: "),
                               testing::HasSubstr("10-block.toml: No such file")));
    EXPECT_THAT(diagnostics.all()[1].message, testing::HasSubstr("sites: No such file"));
}

struct Example {
    const char* name;
    std::size_t rules;
};

class ExampleRules : public testing::TestWithParam<Example> {};

TEST_P(ExampleRules, LoadWithoutAWord) {
    const fs::path folder = fs::path(STANZAGATE_SOURCE_DIR) / "config";
    std::string file = GetParam().name;
    std::ranges::replace(file, '_', '-');
    Diagnostics diagnostics;
    const auto config = load_text(
        std::string(before_rules) + "rules = [\"rules/" + file + ".toml\"]\n" + host("example.org"),
        folder / "gate.toml", diagnostics);
    for (const Diagnostic& one : diagnostics.all()) ADD_FAILURE() << one.to_string();
    ASSERT_TRUE(config);
    EXPECT_THAT(config->hosts[0].registration.rules, SizeIs(GetParam().rules));
    for (const NamedList& list : config->lists)
        EXPECT_TRUE(!list.file || fs::exists(*list.file)) << list.name;
}

INSTANTIATE_TEST_SUITE_P(All, ExampleRules,
                         testing::Values(Example{"closed_with_web_form", 3},
                                         Example{"open_with_quotas", 4}, Example{"invite_only", 2},
                                         Example{"office_hours_one_country", 3},
                                         Example{"under_attack", 5}),
                         NamedCase{});

// They may be put together: no name is in two of them. (That some rules come after a rule for
// everybody is a warning.)
TEST(ExampleRuleFiles, GoTogether) {
    Diagnostics diagnostics;
    const auto config =
        load_text(std::string(before_rules) + "rules = \"rules/*.toml\"\n" + host("example.org"),
                  fs::path(STANZAGATE_SOURCE_DIR) / "config/gate.toml", diagnostics);
    EXPECT_TRUE(config) << diagnostics.sorted().at(0).to_string();
}

TEST(ExampleRuleFiles, AreAllTested) {
    const Matches found = match_files(fs::path(STANZAGATE_SOURCE_DIR) / "config", "rules/*.toml");
    EXPECT_THAT(found.files, SizeIs(5));
}

}  // namespace
}  // namespace stanzagate::config
