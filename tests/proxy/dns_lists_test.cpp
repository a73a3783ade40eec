#include "proxy/dns_lists.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/proxy/dns_server.hpp"
#include "tests/proxy/sockets.hpp"

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;
using config::Address;
using testing::DnsReply;
using testing::DnsServer;
using testing::nxdomain;
using testing::refused;
using testing::servfail;
using Manner = DnsReply::Manner;

const std::string zone = "list.example";
const std::string other_zone = "other.example";

Address address(std::string_view text) {
    return Address::parse(text).value();
}

const Address spammer = address("192.0.2.99");

std::string name_of(const Address& who, std::string_view where = zone) {
    return dns_list_name(where, who);
}

// Each test has a server, lists that ask it, and a clock that stands still. What is logged is
// returned by end().
class DnsListsTest : public ::testing::Test {
protected:
    DnsListsTest() { ::testing::internal::CaptureStderr(); }
    ~DnsListsTest() override {
        if (capturing_) ::testing::internal::GetCapturedStderr();
    }

    void begin(DnsListSettings settings = {.limit = 10s}) {
        if (settings.servers.empty()) settings.servers = server_.address();
        settings.now = [this] { return now_; };
        lists_.emplace(io_, log_, settings);
    }
    std::string end() {
        lists_.reset();
        capturing_ = false;
        return ::testing::internal::GetCapturedStderr();
    }

    bool run_until(const std::function<bool()>& holds) {
        return testing::eventually(holds, [&] {
            io_.restart();
            io_.run_one_for(50ms);
        });
    }
    // All that can be done without waiting long.
    void settle() {
        io_.restart();
        while (io_.run_one_for(20ms) != 0 && ++turns_ < 10'000) {
        }
    }
    // Asks, waits, and says what is known then.
    std::optional<bool> learn(const Address& who, const std::string& where = zone) {
        bool called = false;
        std::optional<bool> known;
        auto const query = lists_->ask(std::vector{where}, who, [&] {
            called = true;
            known = lists_->known(where, who);
        });
        EXPECT_FALSE(called);
        EXPECT_TRUE(run_until([&] { return called; }));
        return known;
    }

    Log log_{{config::LogLevel::info, config::LogFormat::text}};
    boost::asio::io_context io_{1};
    DnsServer server_{io_};
    DnsLists::Clock::time_point now_{1000h};
    std::optional<DnsLists> lists_;
    bool capturing_ = true;
    int turns_ = 0;
};

int count(std::string_view text, std::string_view what) {
    int found = 0;
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
    return found;
}

// RFC 5782, sections 2.1 and 2.4.
TEST(DnsListNameTest, AsInTheRfc) {
    EXPECT_EQ(dns_list_name("bad.example.com", address("192.0.2.99")),
              "99.2.0.192.bad.example.com");
    EXPECT_EQ(dns_list_name("ugly.example.com", address("2001:db8:1:2:3:4:567:89ab")),
              "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com");
    EXPECT_EQ(dns_list_name("Bad.Example.COM.", address("::ffff:192.0.2.99")),
              "99.2.0.192.bad.example.com");
}

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
        AnswerCase{"somebody_else",
                   {.addresses = {{203, 0, 113, 1}}},
                   false,
                   1,
                   "the list answers 203.0.113.1"},
        AnswerCase{
            "garbage", {.addresses = {{127, 0, 0, 2}}, .garbage = true}, false, 1, "reason="}),
    [](auto const& test) { return std::string(test.param.name); });

TEST_F(DnsListsTest, Ipv6) {
    begin();
    auto const listed = address("2001:db8::2");
    server_["2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2." + zone] = {
        .addresses = {{127, 0, 0, 2}}};
    EXPECT_EQ(learn(listed), true);
    EXPECT_EQ(learn(address("2001:db8::3")), false);
}

TEST_F(DnsListsTest, TruncatedIsAskedAgainOverTcp) {
    begin();
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}, .manner = Manner::truncated};
    EXPECT_EQ(learn(spammer), true);
    EXPECT_EQ(server_.asked_over_tcp(), 1);
    EXPECT_EQ(server_.asked(), 2);
}

TEST_F(DnsListsTest, SeveralZonesOneCallback) {
    begin();
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}};
    server_[name_of(spammer, other_zone)] = {.manner = Manner::held};
    int calls = 0;
    auto const query = lists_->ask(std::vector{zone, other_zone, zone}, spammer, [&] { ++calls; });
    ASSERT_TRUE(run_until([&] { return lists_->known(zone, spammer).has_value(); }));
    settle();
    EXPECT_EQ(calls, 0);
    server_.release();
    ASSERT_TRUE(run_until([&] { return calls != 0; }));
    settle();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(lists_->known(zone, spammer), true);
    EXPECT_EQ(lists_->known(other_zone, spammer), false);
    EXPECT_EQ(server_.asked(name_of(spammer)), 1);
}

TEST_F(DnsListsTest, NoZonesCallBackToo) {
    begin();
    int calls = 0;
    auto const query = lists_->ask({}, spammer, [&] { ++calls; });
    EXPECT_EQ(calls, 0);
    settle();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(server_.asked(), 0);
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

TEST_F(DnsListsTest, SilenceEndsWithTheLimit) {
    begin({.limit = 60ms});
    server_[name_of(spammer)] = {.manner = Manner::silent};
    EXPECT_EQ(learn(spammer), false);
    EXPECT_EQ(lists_->failures(), 1U);
    // c-ares gives it up in its own time; that is not one more failure.
    ASSERT_TRUE(run_until([&] { return lists_->in_flight() == 0; }));
    EXPECT_EQ(lists_->failures(), 1U);
    auto const log = end();
    EXPECT_EQ(count(log, "event=dns_list_failed zone=list.example reason=timeout count=1"), 1)
        << log;
}

TEST_F(DnsListsTest, AnAnswerThatComesTooLateIsKept) {
    // With so many servers, c-ares goes on for seconds after the limit.
    DnsListSettings settings;
    settings.limit = 60ms;
    for (int i = 0; i < 100; ++i) settings.servers += server_.address() + ',';
    begin(settings);
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}, .manner = Manner::held};
    EXPECT_EQ(learn(spammer), false);
    EXPECT_EQ(lists_->failures(), 1U);
    server_.release();
    EXPECT_TRUE(run_until([&] { return lists_->known(zone, spammer) == true; }));
}

TEST_F(DnsListsTest, FailuresAreLoggedOnceAMinuteWithTheirNumber) {
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

TEST_F(DnsListsTest, WrongAnswersAreLoggedOncePerZone) {
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

TEST_F(DnsListsTest, ThoseWhoAskForTheSameShareOneQuestion) {
    begin();
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}, .manner = Manner::held};
    int calls = 0;
    std::vector<DnsLists::Query> queries;
    for (int i = 0; i < 20; ++i)
        queries.push_back(lists_->ask(std::vector{zone}, spammer, [&] { ++calls; }));
    ASSERT_TRUE(run_until([&] { return server_.asked() == 1; }));
    EXPECT_EQ(lists_->in_flight(), 1U);
    server_.release();
    ASSERT_TRUE(run_until([&] { return calls == 20; }));
    EXPECT_EQ(server_.asked(), 1);
}

TEST_F(DnsListsTest, NobodyIsCalledBackOnceTheQueryIsGone) {
    begin();
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}, .manner = Manner::held};
    int calls = 0;
    int wrong_calls = 0;
    auto const kept = lists_->ask(std::vector{zone}, spammer, [&] { ++calls; });
    {
        auto const gone = lists_->ask(std::vector{zone}, spammer, [&] { ++wrong_calls; });
        ASSERT_TRUE(run_until([&] { return server_.asked() == 1; }));
    }
    server_.release();
    ASSERT_TRUE(run_until([&] { return calls == 1; }));
    // The same when the call was due already.
    {
        auto const gone = lists_->ask(std::vector{zone}, spammer, [&] { ++wrong_calls; });
    }
    settle();
    EXPECT_EQ(wrong_calls, 0);
    EXPECT_EQ(calls, 1);
}

TEST_F(DnsListsTest, AQueryMayEndItselfOrAnother) {
    begin();
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}};
    int calls = 0;
    std::vector<DnsLists::Query> queries;
    for (int i = 0; i < 3; ++i)
        queries.push_back(lists_->ask(std::vector{zone}, spammer, [&] {
            ++calls;
            queries.clear();
        }));
    ASSERT_TRUE(run_until([&] { return calls != 0; }));
    settle();
    EXPECT_EQ(calls, 1);
}

TEST_F(DnsListsTest, WhatIsAskedFromWithinIsAnsweredToo) {
    begin();
    auto const other = address("192.0.2.100");
    server_[name_of(other)] = {.addresses = {{127, 0, 0, 2}}};
    bool called = false;
    DnsLists::Query second;
    auto const first = lists_->ask(std::vector{zone}, spammer, [&] {
        second = lists_->ask(std::vector{zone}, other, [&] { called = true; });
    });
    ASSERT_TRUE(run_until([&] { return called; }));
    EXPECT_EQ(lists_->known(zone, other), true);
}

TEST_F(DnsListsTest, MayGoWhileQuestionsAreOpen) {
    begin();
    server_[name_of(spammer)] = {.manner = Manner::held};
    int calls = 0;
    auto const query = lists_->ask(std::vector{zone}, spammer, [&] { ++calls; });
    ASSERT_TRUE(run_until([&] { return server_.asked() == 1; }));
    lists_.reset();
    server_.release();
    settle();
    EXPECT_EQ(calls, 0);
}

TEST_F(DnsListsTest, KnowsSoManyAndNoMore) {
    begin({.limit = 10s, .most_known = 3});
    for (int i = 1; i <= 4; ++i)
        learn(Address::from(Address::V4{192, 0, 2, static_cast<std::uint8_t>(i)}));
    EXPECT_EQ(lists_->known(zone, address("192.0.2.1")), std::nullopt);
    EXPECT_EQ(lists_->known(zone, address("192.0.2.2")), false);
    EXPECT_EQ(lists_->known(zone, address("192.0.2.4")), false);
}

TEST_F(DnsListsTest, AsksSoManyAtATimeAndNoMore) {
    begin({.limit = 10s, .most_in_flight = 2});
    int calls = 0;
    std::vector<DnsLists::Query> queries;
    for (int i = 1; i <= 5; ++i) {
        auto const who = Address::from(Address::V4{192, 0, 2, static_cast<std::uint8_t>(i)});
        server_[name_of(who)] = {.addresses = {{127, 0, 0, 2}}, .manner = Manner::held};
        queries.push_back(lists_->ask(std::vector{zone}, who, [&] { ++calls; }));
    }
    ASSERT_TRUE(run_until([&] { return calls == 3 && server_.asked() == 2; }));
    EXPECT_EQ(lists_->in_flight(), 2U);
    EXPECT_EQ(lists_->failures(), 3U);
    EXPECT_EQ(lists_->known(zone, address("192.0.2.2")), std::nullopt);
    EXPECT_EQ(lists_->known(zone, address("192.0.2.3")), false);
    server_.release();
    ASSERT_TRUE(run_until([&] { return calls == 5; }));
    EXPECT_EQ(lists_->known(zone, address("192.0.2.2")), true);
    EXPECT_NE(end().find("too many questions at a time"), std::string::npos);
}

TEST_F(DnsListsTest, FiveHundredAtOnce) {
    begin();
    std::vector<Address> all;
    for (int i = 0; i < 500; ++i)
        all.push_back(Address::from(Address::V4{198, 51, static_cast<std::uint8_t>(i / 250),
                                                static_cast<std::uint8_t>(i % 250)}));
    for (std::size_t i = 0; i < all.size(); i += 2)
        server_[name_of(all[i])] = {.addresses = {{127, 0, 0, 2}}};
    int calls = 0;
    std::vector<DnsLists::Query> queries;
    for (auto const& who : all)
        queries.push_back(lists_->ask(std::vector{zone, other_zone}, who, [&] { ++calls; }));
    ASSERT_TRUE(run_until([&] { return calls == 500; }));
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(lists_->known(zone, all[i]), i % 2 == 0);
        EXPECT_EQ(lists_->known(other_zone, all[i]), false);
    }
    EXPECT_EQ(lists_->failures(), 0U);
}

TEST_F(DnsListsTest, NoServerThere) {
    std::string nobody;
    {
        DnsServer gone(io_);
        nobody = gone.address();
    }
    begin({.limit = 10s, .servers = nobody});
    EXPECT_EQ(learn(spammer), false);
    EXPECT_EQ(lists_->failures(), 1U);
}

// The socket to the second server has the number of the one to the first.
TEST_F(DnsListsTest, TheNextServerIsAskedWhereOneIsGone) {
    std::string nobody;
    {
        DnsServer gone(io_);
        nobody = gone.address();
    }
    begin({.limit = 10s, .servers = nobody + ',' + server_.address()});
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}};
    EXPECT_EQ(learn(spammer), true);
    EXPECT_EQ(server_.asked(), 1);
}

TEST_F(DnsListsTest, TheNextServerIsAskedWhereOneFails) {
    DnsServer failing(io_);
    failing[name_of(spammer)] = {.rcode = servfail};
    begin({.limit = 10s, .servers = failing.address() + ',' + server_.address()});
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}};
    EXPECT_EQ(learn(spammer), true);
    EXPECT_EQ(lists_->failures(), 0U);
    EXPECT_EQ(failing.asked(), 1);
}

TEST_F(DnsListsTest, ZonesThatAreNoNames) {
    begin();
    for (auto const& wrong : {std::string("a..b"), std::string(64, 'x') + ".example"}) {
        EXPECT_EQ(learn(spammer, wrong), false);
    }
    EXPECT_EQ(lists_->failures(), 2U);
    EXPECT_EQ(server_.asked(), 0);
    EXPECT_NE(end().find("not a domain name"), std::string::npos);
}

TEST_F(DnsListsTest, ServersThatMakeNoSense) {
    DnsListSettings settings;
    settings.servers = "not an address";
    EXPECT_THROW(DnsLists(io_, log_, settings), std::runtime_error);
}

}  // namespace
}  // namespace stanzagate::proxy
