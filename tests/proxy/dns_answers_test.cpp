#include <gtest/gtest.h>

#include <string>

#include "proxy/dns_lists.hpp"
#include "tests/proxy/dns_lists_fixture.hpp"
#include "tests/proxy/dns_server.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;
using Manner = DnsReply::Manner;

// RFC 5782, sections 2.1 and 2.4.
TEST(DnsListNameTest, AsInTheRfc) {
    EXPECT_EQ(dns_list_name("bad.example.com", address("192.0.2.99")),
              "99.2.0.192.bad.example.com");
    EXPECT_EQ(dns_list_name("ugly.example.com", address("2001:db8:1:2:3:4:567:89ab")),
              "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com");
    EXPECT_EQ(dns_list_name("Bad.Example.COM.", address("::ffff:192.0.2.99")),
              "99.2.0.192.bad.example.com");
}

class DnsAnswersTest : public DnsListsTest {};

struct AnswerCase {
    const char* name;
    DnsReply reply;
    bool listed;
    std::uint64_t failures = 0;
    const char* reason = "";  // in the log; "": nothing is logged
};

class DnsAnswerTest : public DnsListsTest, public ::testing::WithParamInterface<AnswerCase> {};

TEST_P(DnsAnswerTest, IsUnderstood) {
    auto const& param = GetParam();
    begin();
    server_[name_of(spammer)] = param.reply;
    EXPECT_EQ(lists_->known(zone, spammer), std::nullopt);
    EXPECT_EQ(learn(spammer), param.listed);
    EXPECT_EQ(lists_->failures(), param.failures);
    auto const asked = server_.asked();
    EXPECT_EQ(learn(spammer), param.listed);
    EXPECT_EQ(server_.asked(), asked);
    auto const log = end();
    std::string const reason = param.reason;
    EXPECT_EQ(count(log, "event=dns_list_failed"), reason.empty() ? 0 : 1) << log;
    EXPECT_NE(log.find(reason), std::string::npos) << log;
    EXPECT_EQ(log.find("192.0.2.99"), std::string::npos);
    EXPECT_EQ(log.find("99.2.0.192"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Table, DnsAnswerTest,
    ::testing::Values(
        AnswerCase{"listed", {.addresses = {{127, 0, 0, 2}}}, true},
        AnswerCase{"anywhere_in_127", {.addresses = {{127, 255, 254, 255}}}, true},
        AnswerCase{"one_of_several", {.addresses = {{192, 0, 2, 1}, {127, 0, 0, 10}}}, true},
        AnswerCase{
            "behind_an_alias", {.addresses = {{127, 0, 0, 2}}, .alias = "real.example"}, true},
        AnswerCase{"truncated", {.addresses = {{127, 0, 0, 4}}, .manner = Manner::truncated}, true},
        AnswerCase{"NXDOMAIN", {.rcode = nxdomain}, false}, AnswerCase{"NODATA", {}, false},
        AnswerCase{"alias_to_nothing", {.alias = "real.example"}, false},
        AnswerCase{"SERVFAIL", {.rcode = servfail}, false, 1, "no DNS server gave an answer"},
        AnswerCase{"REFUSED", {.rcode = refused}, false, 1, "no DNS server gave an answer"},
        AnswerCase{"error_code",
                   {.addresses = {{127, 255, 255, 254}}},
                   false,
                   1,
                   "the list answers 127.255.255.254"},
        AnswerCase{"may_not_ask",
                   {.addresses = {{127, 0, 0, 1}}},
                   false,
                   1,
                   "the list answers 127.0.0.1,"},
        AnswerCase{"asked_too_often",
                   {.addresses = {{127, 0, 0, 255}}},
                   false,
                   1,
                   "the list answers 127.0.0.255"},
        AnswerCase{"nearly_that", {.addresses = {{127, 0, 1, 255}}}, true},
        AnswerCase{"listed_besides", {.addresses = {{127, 0, 0, 1}, {127, 0, 0, 2}}}, true},
        AnswerCase{"somebody_else",
                   {.addresses = {{203, 0, 113, 1}}},
                   false,
                   1,
                   "the list answers 203.0.113.1"},
        AnswerCase{
            "garbage", {.addresses = {{127, 0, 0, 2}}, .garbage = true}, false, 1, "reason="}),
    [](auto const& test) { return std::string(test.param.name); });

TEST_F(DnsAnswersTest, Ipv6) {
    begin();
    auto const listed = address("2001:db8::2");
    server_["2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2." + zone] = {
        .addresses = {{127, 0, 0, 2}}};
    EXPECT_EQ(learn(listed), true);
    EXPECT_EQ(learn(address("2001:db8::3")), false);
}

TEST_F(DnsAnswersTest, TruncatedIsAskedAgainOverTcp) {
    begin();
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}, .manner = Manner::truncated};
    EXPECT_EQ(learn(spammer), true);
    EXPECT_EQ(server_.asked_over_tcp(), 1);
    EXPECT_EQ(server_.asked(), 2);
}

TEST_F(DnsAnswersTest, ZonesThatAreNoNames) {
    begin();
    for (auto const& wrong : {std::string("a..b"), std::string(64, 'x') + ".example"}) {
        EXPECT_EQ(learn(spammer, wrong), false);
    }
    EXPECT_EQ(lists_->failures(), 2U);
    EXPECT_EQ(server_.asked(), 0);
    EXPECT_NE(end().find("not a domain name"), std::string::npos);
}

struct KeepCase {
    const char* name;
    DnsReply reply;
    std::chrono::seconds kept;
};

class DnsKeepTest : public DnsListsTest, public ::testing::WithParamInterface<KeepCase> {};

TEST_P(DnsKeepTest, ForItsTime) {
    auto const& param = GetParam();
    begin({.limit = 2s});
    server_[name_of(spammer)] = param.reply;
    learn(spammer);
    now_ += param.kept - 1ms;
    EXPECT_NE(lists_->known(zone, spammer), std::nullopt);
    now_ += 1ms;
    EXPECT_EQ(lists_->known(zone, spammer), std::nullopt);
    auto const asked = server_.asked();
    learn(spammer);
    EXPECT_GT(server_.asked(), asked);
}

INSTANTIATE_TEST_SUITE_P(
    Table, DnsKeepTest,
    ::testing::Values(
        KeepCase{"as_it_says", {.addresses = {{127, 0, 0, 2}}, .ttl = 77}, 77s},
        KeepCase{"an_hour_at_most", {.addresses = {{127, 0, 0, 2}}, .ttl = 86'400}, 3600s},
        KeepCase{"the_limit_and_a_second", {.addresses = {{127, 0, 0, 2}}, .ttl = 0}, 3s},
        KeepCase{"not_listed", {.rcode = nxdomain}, 300s},
        KeepCase{"failed", {.rcode = servfail}, 30s},
        KeepCase{"wrong", {.addresses = {{127, 255, 255, 254}}, .ttl = 9000}, 300s},
        KeepCase{"wrong_and_short", {.addresses = {{127, 255, 255, 254}}, .ttl = 60}, 60s}),
    [](auto const& test) { return std::string(test.param.name); });

TEST_F(DnsAnswersTest, FailuresAreLoggedOnceAMinuteWithTheirNumber) {
    begin();
    for (int i = 1; i <= 6; ++i) {
        auto const who = Address::from(Address::V4{192, 0, 2, static_cast<std::uint8_t>(i)});
        for (auto const& where : {zone, other_zone}) {
            server_[name_of(who, where)] = {.rcode = servfail};
            EXPECT_EQ(learn(who, where), false);
        }
        if (i == 5) now_ += 60s;
    }
    EXPECT_EQ(lists_->failures(), 12U);
    auto const log = end();
    for (auto const& where : {zone, other_zone}) {
        EXPECT_EQ(count(log, "zone=" + where), 2) << log;
        EXPECT_LT(log.find("zone=" + where), log.rfind("zone=" + where));
    }
    EXPECT_EQ(count(log, "count=1\n"), 2) << log;
    EXPECT_EQ(count(log, "count=5\n"), 2) << log;
}

TEST_F(DnsAnswersTest, WrongAnswersAreLoggedOncePerZone) {
    begin();
    for (int i = 1; i <= 4; ++i) {
        auto const who = Address::from(Address::V4{192, 0, 2, static_cast<std::uint8_t>(i)});
        server_[name_of(who)] = {.addresses = {{127, 255, 255, 252}}};
        EXPECT_EQ(learn(who), false);
        now_ += 1h;
    }
    EXPECT_EQ(lists_->failures(), 4U);
    EXPECT_EQ(count(end(), "event=dns_list_failed"), 1);
}

}  // namespace
}  // namespace stanzagate::proxy
