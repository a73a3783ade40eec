#include "proxy/dns_channels.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "proxy/dns_lists.hpp"
#include "tests/proxy/dns_lists_fixture.hpp"
#include "tests/proxy/dns_server.hpp"
#include "tests/temporary_folder.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;
using Manner = DnsReply::Manner;

constexpr auto* names_the_server = "nameserver 127.0.0.1\n";
constexpr auto* names_nobody = "nameserver 127.0.0.2\n";

class DnsChannelsTest : public DnsListsTest {
protected:
    void begin(const char* resolv_conf) {
        auto const address = server_.address();
        DnsListSettings settings{.limit = 10s};
        settings.servers.resolv_conf = folder_.write("resolv.conf", resolv_conf);
        settings.servers.port =
            static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1)));
        settings.now = [this] { return now_; };
        lists_.emplace(io_, log_, settings);
    }
    void replace(const char* resolv_conf) const {
        std::filesystem::rename(folder_.write("resolv.conf.new", resolv_conf),
                                folder_.path() / "resolv.conf");
    }

    TemporaryFolder folder_;
    Address other_ = address("192.0.2.100");
};

TEST_F(DnsChannelsTest, TheServersOfAReplacedFileAreAsked) {
    begin(names_nobody);
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}};
    server_[name_of(other_)] = {.addresses = {{127, 0, 0, 2}}};
    EXPECT_EQ(learn(spammer), false);
    replace(names_the_server);
    EXPECT_EQ(learn(other_), true);
    now_ += DnsLists::failure_kept;
    EXPECT_EQ(learn(spammer), true);
    EXPECT_EQ(count(end(),
                    "event=dns_servers_reloaded file=" + (folder_.path() / "resolv.conf").string()),
              1);
}

TEST_F(DnsChannelsTest, TheServersOfARewrittenFileAreAsked) {
    begin(names_nobody);
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}};
    folder_.write("resolv.conf", std::string("# ours\n") + names_the_server);
    EXPECT_EQ(learn(spammer), true);
}

TEST_F(DnsChannelsTest, WhatWasAskedBeforeIsAnswered) {
    begin(names_the_server);
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}, .manner = Manner::held};
    int calls = 0;
    auto const query = lists_->ask(std::vector{zone}, spammer, [&] { ++calls; });
    ASSERT_TRUE(run_until([&] { return server_.asked() == 1; }));
    replace(names_nobody);
    EXPECT_EQ(learn(other_), false);
    EXPECT_EQ(server_.asked(), 1);
    EXPECT_EQ(calls, 0);
    server_.release();
    ASSERT_TRUE(run_until([&] { return calls == 1; }));
    EXPECT_EQ(lists_->known(zone, spammer), true);
    ASSERT_TRUE(run_until([&] { return lists_->in_flight() == 0; }));
    settle();  // the channel before goes
}

TEST_F(DnsChannelsTest, TheLastServersStayWhileThereIsNoFile) {
    begin(names_the_server);
    server_[name_of(spammer)] = {.addresses = {{127, 0, 0, 2}}};
    std::filesystem::remove(folder_.path() / "resolv.conf");
    EXPECT_EQ(learn(spammer), true);
    EXPECT_EQ(count(end(), "event=dns_servers"), 0);
}

TEST_F(DnsChannelsTest, MayEndWithQuestionsOfSeveral) {
    begin(names_the_server);
    server_[name_of(spammer)] = {.manner = Manner::silent};
    server_[name_of(other_)] = {.manner = Manner::silent};
    int calls = 0;
    auto const one = lists_->ask(std::vector{zone}, spammer, [&] { ++calls; });
    replace(names_the_server);
    auto const two = lists_->ask(std::vector{zone}, other_, [&] { ++calls; });
    ASSERT_TRUE(run_until([&] { return server_.asked() == 2; }));
    lists_.reset();
    settle();
    EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace stanzagate::proxy
