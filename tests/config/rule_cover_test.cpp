// When a rule is said to be swallowed by an earlier one, and when not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <string_view>

#include "config/load.hpp"
#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

struct CoverCase {
    const char* name;
    std::string_view earlier;  // keys of the two rules
    std::string_view later;
    bool swallows;
};

void PrintTo(const CoverCase& test, std::ostream* out) {
    *out << test.earlier << " / " << test.later;
}

constexpr std::string_view main_file = R"(
server.geoip = "countries.mmdb"
listen = [{ address = "0.0.0.0:5222" },
          { address = "0.0.0.0:443", tls = "direct", serve = ["xmpp", "websocket", "bosh"] }]
[[host]]
name = "*"
self_signed = true
upstream = "tcp://192.0.2.10:5222"
[registration]
url = "https://example.org/register"
rules = "rules.toml"
)";

constexpr std::string_view lists = R"([lists]
a = { file = "a.txt" }
b = { file = "b.txt" }
ten = ["10.0.0.0/8"]
halves = ["10.0.0.0/9", "10.128.0.0/9"]
[[rule]]
name = "user of all lists"
from = ["@a", "@b", "@ten", "@halves"]
invited = true
during = "00:00-00:01"
action = "close"
)";

// Through the reader, so that the table is written as an operator would write it.
class RuleCover : public testing::TestWithParam<CoverCase> {
protected:
    void SetUp() override { std::filesystem::create_directories(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) /
                                          (std::string("stanzagate-cover-") + GetParam().name);
};

TEST_P(RuleCover, WarnsOfWhatCanNeverMatch) {
    std::ofstream(folder_ / "rules.toml")
        << lists << "[[rule]]\nname = \"earlier\"\naction = \"forward\"\n"
        << GetParam().earlier << "\n[[rule]]\nname = \"later\"\naction = \"forward\"\n"
        << GetParam().later << '\n';
    Diagnostics diagnostics;
    const auto config = load_text(main_file, folder_ / "gate.toml", diagnostics);
    ASSERT_TRUE(config) << diagnostics.all().at(0).to_string();
    if (!GetParam().swallows) {
        EXPECT_THAT(diagnostics.all(), testing::IsEmpty());
        return;
    }
    ASSERT_THAT(diagnostics.all(), testing::SizeIs(1));
    EXPECT_EQ(diagnostics.all()[0].severity, Severity::warning);
    EXPECT_EQ(diagnostics.all()[0].where, config->rules[2].where);
    EXPECT_THAT(diagnostics.all()[0].message,
                testing::HasSubstr("\"later\" can never match: \"earlier\""));
}

INSTANTIATE_TEST_SUITE_P(
    MustWarn, RuleCover,
    testing::Values(
        CoverCase{"after_everybody", "", "", true},
        CoverCase{"everything_after_everybody", "",
                  "from = \"192.0.2.1\"\nhost = \"a.org\"\ncountry = \"SE\"\ninvited = true\n"
                  "during = \"08:00-18:00\"\nquota = { count = 1, per = \"1h\", by = \"all\" }",
                  true},
        CoverCase{"same_network", "from = \"192.0.2.0/24\"", "from = \"192.0.2.0/24\"", true},
        CoverCase{"inner_network", "from = \"192.0.2.0/24\"", "from = \"192.0.2.7\"", true},
        CoverCase{"all_v4", "from = \"0.0.0.0/0\"", "from = [\"192.0.2.7\", \"10.0.0.0/8\"]", true},
        CoverCase{"inner_v6", "from = [\"10.0.0.0/8\", \"2001:db8::/32\"]",
                  "from = \"2001:db8:1::/48\"", true},
        CoverCase{"mapped", "from = \"192.0.2.0/24\"", "from = \"::ffff:192.0.2.7\"", true},
        CoverCase{"same_list", "from = [\"@a\", \"@b\"]", "from = \"@b\"", true},
        CoverCase{"list_and_network", "from = [\"@a\", \"10.0.0.0/8\"]",
                  "from = [\"10.1.0.0/16\", \"@a\"]", true},
        CoverCase{"more_left_out", "not_from = \"10.1.0.0/16\"", "not_from = \"10.0.0.0/8\"", true},
        CoverCase{"same_list_left_out", "not_from = \"@a\"",
                  "not_from = [\"@a\", \"@b\"]\nfrom = \"10.0.0.0/8\"", true},
        CoverCase{"same_host", "host = \"a.org\"", "host = \"A.ORG\"", true},
        CoverCase{"host_below", "host = \"*.org\"", "host = [\"a.org\", \"*.b.org\"]", true},
        CoverCase{"any_host", "host = \"*\"", "", true},
        CoverCase{"any_host_list", "host = [\"a.org\", \"*\"]", "host = \"b.org\"", true},
        CoverCase{"transport", "transport = [\"bosh\", \"websocket\"]", "transport = \"bosh\"",
                  true},
        CoverCase{"country", "country = [\"SE\", \"NO\"]", "country = \"no\"", true},
        CoverCase{"dnsbl", "dnsbl = [\"a.example\", \"b.example\"]", "dnsbl = \"B.example.\"",
                  true},
        CoverCase{"invited", "invited = true", "invited = true\nfrom = \"10.0.0.0/8\"", true},
        CoverCase{"later_during", "", "during = \"08:00-18:00\"", true},
        CoverCase{"later_quota", "", "quota = { count = 1, per = \"1h\", by = \"all\" }", true},
        CoverCase{"union", "from = [\"10.128.0.0/9\", \"10.0.0.0/9\"]", "from = \"10.0.0.0/8\"",
                  true},
        CoverCase{"network_in_list", "from = \"@ten\"", "from = \"10.1.0.0/16\"", true},
        CoverCase{"list_in_network", "from = \"10.0.0.0/7\"", "from = \"@halves\"", true},
        CoverCase{"list_in_list", "from = \"@halves\"", "from = \"@ten\"", true},
        CoverCase{"every_address", "from = [\"0.0.0.0/0\", \"::/0\"]",
                  "from = [\"@a\", \"@ten\", \"2001:db8::1\"]", true},
        CoverCase{"every_address_in_halves", "from = [\"0.0.0.0/1\", \"128.0.0.0/1\", \"::/0\"]",
                  "from = \"@a\"", true},
        CoverCase{"rest_left_out", "from = \"10.0.0.0/8\"",
                  "from = [\"10.1.0.0/16\", \"192.0.2.1\"]\nnot_from = \"192.0.2.0/24\"", true},
        CoverCase{"left_out_elsewhere", "not_from = \"@ten\"", "from = \"192.0.2.1\"", true},
        CoverCase{"left_out_list", "not_from = \"@halves\"", "not_from = \"10.0.0.0/8\"", true},
        CoverCase{"left_out_where_it_counts", "not_from = [\"10.1.0.0/16\", \"192.0.2.0/24\"]",
                  "from = \"10.0.0.0/8\"\nnot_from = \"10.0.0.0/9\"", true},
        CoverCase{"left_out_file_too", "not_from = [\"@a\", \"192.0.2.1\"]",
                  "from = \"@ten\"\nnot_from = \"@a\"", true},
        CoverCase{"every_transport",
                  "transport = [\"bosh\", \"websocket\", \"direct\", \"starttls\"]", "", true},
        CoverCase{"whole_week", "during = \"00:00-24:00\"", "", true},
        CoverCase{"whole_week_by_days", "during = \"Mon-Sun 00:00-24:00 UTC\"",
                  "during = \"08:00-18:00\"", true},
        CoverCase{"same_time", "during = \"08:00-18:00\"",
                  "during = \"08:00-18:00\"\nfrom = \"192.0.2.1\"", true}),
    NamedCase{});

INSTANTIATE_TEST_SUITE_P(
    MustNotWarn, RuleCover,
    testing::Values(
        CoverCase{"wider_network", "from = \"192.0.2.0/24\"", "from = \"192.0.0.0/16\"", false},
        CoverCase{"one_network_of_two", "from = \"192.0.2.0/24\"",
                  "from = [\"192.0.2.1\", \"192.0.3.1\"]", false},
        CoverCase{"everybody_after_network", "from = \"192.0.2.0/24\"", "", false},
        // Who has no address (PROXY "UNKNOWN") is in no network, however wide.
        CoverCase{"everybody_after_all_networks", "from = [\"0.0.0.0/0\", \"::/0\"]", "", false},
        CoverCase{"v6_after_all_v4", "from = \"0.0.0.0/0\"", "from = \"2001:db8::1\"", false},
        CoverCase{"v4_after_all_v6", "from = \"::/0\"", "from = \"192.0.2.1\"", false},
        CoverCase{"other_list", "from = \"@a\"", "from = \"@b\"", false},
        CoverCase{"list_after_network", "from = \"0.0.0.0/0\"", "from = \"@a\"", false},
        CoverCase{"network_after_list", "from = \"@a\"", "from = \"192.0.2.1\"", false},
        CoverCase{"left_out", "not_from = \"10.0.0.0/8\"", "", false},
        CoverCase{"less_left_out", "not_from = \"10.0.0.0/8\"", "not_from = \"10.1.0.0/16\"",
                  false},
        CoverCase{"other_list_left_out", "not_from = \"@a\"", "not_from = \"@b\"", false},
        CoverCase{"from_left_out", "not_from = \"10.0.0.0/8\"", "from = \"10.0.0.0/8\"", false},
        CoverCase{"other_host", "host = \"a.org\"", "host = \"b.org\"", false},
        CoverCase{"host_above", "host = \"*.org\"", "host = \"org\"", false},
        CoverCase{"one_host_of_two", "host = \"a.org\"", "host = [\"a.org\", \"b.org\"]", false},
        CoverCase{"everybody_after_host", "host = \"a.org\"", "", false},
        CoverCase{"any_host_after_wildcard", "host = \"*.org\"", "host = \"*\"", false},
        CoverCase{"transport_more", "transport = \"bosh\"", "transport = [\"bosh\", \"direct\"]",
                  false},
        CoverCase{"transport_any", "transport = \"bosh\"", "", false},
        CoverCase{"country_more", "country = \"SE\"", "country = [\"SE\", \"NO\"]", false},
        CoverCase{"country_any", "country = \"SE\"", "", false},
        CoverCase{"dnsbl_other", "dnsbl = \"a.example\"", "dnsbl = \"b.example\"", false},
        CoverCase{"dnsbl_any", "dnsbl = \"a.example\"", "", false},
        CoverCase{"invited_other", "invited = true", "invited = false", false},
        CoverCase{"invited_any", "invited = false", "", false},
        CoverCase{"half_of_a_network", "from = \"10.0.0.0/9\"", "from = \"@ten\"", false},
        CoverCase{"everybody_after_list", "from = \"@ten\"", "", false},
        CoverCase{"list_file_after_list", "from = \"@ten\"", "from = \"@a\"", false},
        CoverCase{"network_after_list_and_file", "from = [\"@a\", \"@ten\"]",
                  "from = [\"@a\", \"192.0.2.1\"]", false},
        CoverCase{"every_address_left_out", "not_from = \"@ten\"", "not_from = \"10.0.0.0/9\"",
                  false},
        CoverCase{"left_out_inside", "not_from = \"10.1.0.0/16\"", "from = \"@ten\"", false},
        CoverCase{"left_out_around", "not_from = \"@ten\"", "from = \"10.1.0.0/16\"", false},
        CoverCase{"left_out_by_file", "not_from = \"@a\"", "from = \"@ten\"", false},
        CoverCase{"left_out_of_file", "not_from = \"@ten\"", "from = \"@a\"", false},
        CoverCase{"three_transports", "transport = [\"bosh\", \"websocket\", \"direct\"]", "",
                  false},
        CoverCase{"nearly_all_day", "during = \"00:00-23:59\"", "", false},
        CoverCase{"nearly_all_week", "during = \"Mon-Sat 00:00-24:00\"", "", false},
        CoverCase{"other_time", "during = \"08:00-18:00\"", "during = \"08:00-18:01\"", false},
        CoverCase{"during", "during = \"08:00-18:00\"", "", false},
        CoverCase{"quota", "quota = { count = 1, per = \"1h\", by = \"all\" }", "", false}),
    NamedCase{});

}  // namespace
}  // namespace stanzagate::config
