#include "proxy/dns_lists.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/proxy/dns_lists_fixture.hpp"
#include "tests/proxy/dns_server.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;
using Manner = DnsReply::Manner;

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
    for (int i = 0; i < 100; ++i) settings.servers.list += server_.address() + ',';
    begin(settings);
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}, .manner = Manner::held};
    EXPECT_EQ(learn(spammer), false);
    EXPECT_EQ(lists_->failures(), 1U);
    server_.release();
    EXPECT_TRUE(run_until([&] { return lists_->known(zone, spammer) == true; }));
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
    begin({.limit = 10s, .servers = {.list = nobody}});
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
    begin({.limit = 10s, .servers = {.list = nobody + ',' + server_.address()}});
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}};
    EXPECT_EQ(learn(spammer), true);
    EXPECT_EQ(server_.asked(), 1);
}

TEST_F(DnsListsTest, TheNextServerIsAskedWhereOneFails) {
    DnsServer failing(io_);
    failing[name_of(spammer)] = {.rcode = servfail};
    begin({.limit = 10s, .servers = {.list = failing.address() + ',' + server_.address()}});
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}};
    EXPECT_EQ(learn(spammer), true);
    EXPECT_EQ(lists_->failures(), 0U);
    EXPECT_EQ(failing.asked(), 1);
}

TEST_F(DnsListsTest, ServersThatMakeNoSense) {
    DnsListSettings settings;
    settings.servers.list = "not an address";
    EXPECT_THROW(DnsLists(io_, log_, settings), std::runtime_error);
}

}  // namespace
}  // namespace stanzagate::proxy
