#include "proxy/doors.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proxy/listener.hpp"
#include "proxy/socket_address.hpp"
#include "tests/proxy/captured_log.hpp"
#include "tests/proxy/test_snapshot.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;
using config::Endpoint;

constexpr auto host =
    "[[host]]\nname = 'example.org'\nself_signed = true\nupstream = 'tcp://127.0.0.1:9'\n"
    "registration.url = 'https://example.org/'\n";

class DoorsTest : public ::testing::Test {
protected:
    // That many listening sockets of one address.
    static std::vector<PassedSocket> sockets(std::size_t count, bool ours, Endpoint& at) {
        at = *Endpoint::parse("127.0.0.1:0");
        std::vector<PassedSocket> passed;
        for (std::size_t i = 0; i < count; ++i)
            passed.push_back({std::get<Fd>(open_listening_socket(at)).release(), {}, ours});
        return passed;
    }
    static std::string listening_at(const std::vector<std::string>& addresses) {
        std::string toml;
        for (auto const& address : addresses) toml += "[[listen]]\naddress = '" + address + "'\n";
        return toml + host;
    }
    auto open(const std::vector<std::string>& addresses, std::size_t workers) {
        auto const snapshot = snapshot_of(listening_at(addresses));
        return doors_.open(snapshot->config, workers, log_);
    }
    static bool listens(const Fd& fd) {
        int value = 0;
        socklen_t size = sizeof value;
        EXPECT_EQ(::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &value, &size), 0);
        return value != 0;
    }
    static std::set<ino_t> distinct(const std::vector<std::vector<Door>>& doors) {
        std::set<ino_t> found;
        for (auto const& worker : doors)
            for (auto const& door : worker) {
                struct stat of_socket{};
                ::fstat(door.socket.get(), &of_socket);
                found.insert(of_socket.st_ino);
            }
        return found;
    }

    testing::CapturedLog logged_;
    Log log_{{}};
    Doors doors_;
};

struct SpreadCase {
    const char* name;
    std::size_t sockets;
    std::size_t workers;
    bool ours;
    std::size_t distinct;  // sockets, in the end
    std::size_t most;      // of one worker
};

class SpreadTest : public DoorsTest, public ::testing::WithParamInterface<SpreadCase> {};

TEST_P(SpreadTest, NoSocketAndNoWorkerIsLeftOut) {
    auto const& param = GetParam();
    Endpoint at;
    doors_.inherit({sockets(param.sockets, param.ours, at), log_});
    auto const doors = open({at.to_string()}, param.workers);
    ASSERT_TRUE(doors);
    ASSERT_EQ(doors->size(), param.workers);
    std::size_t most = 0;
    for (auto const& worker : *doors) {
        EXPECT_FALSE(worker.empty());
        most = std::max(most, worker.size());
        for (auto const& door : worker) EXPECT_EQ(local_endpoint(door.socket.get()), at);
    }
    EXPECT_EQ(most, param.most);
    EXPECT_EQ(distinct(*doors).size(), param.distinct);
}

INSTANTIATE_TEST_SUITE_P(Table, SpreadTest,
                         ::testing::Values(SpreadCase{"AsMany", 3, 3, true, 3, 1},
                                           SpreadCase{"MoreSockets", 5, 2, true, 5, 3},
                                           SpreadCase{"MoreWorkers", 2, 5, true, 5, 1},
                                           // which would end with this process, and the others not
                                           SpreadCase{"MoreWorkersThanOfAServiceManager", 2, 5,
                                                      false, 2, 1},
                                           SpreadCase{"OneOfAServiceManager", 1, 4, false, 1, 1}),
                         [](auto const& test) { return std::string(test.param.name); });

TEST_F(DoorsTest, ASocketThatIsNotSharedByPortIsSharedByAll) {
    auto at = *Endpoint::parse("127.0.0.1:0");
    auto const address = to_socket_address(at);
    Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(fd.get(), address.get(), address.size), 0);
    ASSERT_EQ(::listen(fd.get(), 1), 0);
    at = local_endpoint(fd.get());
    doors_.inherit({{PassedSocket{fd.release(), {}, true}}, log_});
    auto const doors = open({at.to_string()}, 3);
    ASSERT_TRUE(doors);
    EXPECT_EQ(distinct(*doors).size(), 1U);
    for (auto const& worker : *doors) EXPECT_EQ(worker.size(), 1U);
}

// Nobody waits in a socket that is closed, because another address cannot be bound.
TEST_F(DoorsTest, NothingListensBeforeAllIsBound) {
    Endpoint at;
    doors_.inherit({sockets(1, true, at), log_});
    auto const doors = open({at.to_string(), "127.0.0.1:0"}, 3);
    ASSERT_TRUE(doors);
    auto const listening = [&] {
        std::size_t count = 0;
        for (auto const& worker : *doors)
            for (auto const& door : worker) count += listens(door.socket) ? 1 : 0;
        return count;
    };
    EXPECT_EQ(listening(), 1U) << "the inherited one";
    EXPECT_TRUE(doors_.listen(*doors, log_));
    EXPECT_EQ(listening(), 6U);
}

// SIGUSR2 is for who comes first: the successor of who is there would meet the same address.
TEST_F(DoorsTest, TheAdviceAboutATakenAddressFits) {
    Endpoint taken;
    Fd const other(sockets(1, true, taken).front().fd);
    EXPECT_FALSE(open({taken.to_string()}, 1));
    EXPECT_NE(logged_.take().find("send it SIGUSR2"), std::string::npos);
    Endpoint at;
    doors_.inherit({sockets(1, true, at), log_});
    EXPECT_FALSE(open({at.to_string(), taken.to_string()}, 1)) << "of a successor";
    auto const of_successor = logged_.take();
    auto const doors = open({"127.0.0.1:0"}, 1);
    ASSERT_TRUE(doors && doors_.listen(*doors, log_));
    EXPECT_FALSE(open({"127.0.0.1:0", taken.to_string()}, 1)) << "at a reload";
    for (auto const& log : {of_successor, logged_.take()}) {
        EXPECT_EQ(log.find("SIGUSR2"), std::string::npos) << log;
        EXPECT_NE(log.find("stop it and start it again"), std::string::npos) << log;
    }
}

// Who names a port gets it, wherever it stands.
TEST_F(DoorsTest, AnyPortIsWhatOthersDoNotName) {
    Endpoint first;
    Endpoint second;
    auto passed = sockets(1, true, first);
    passed.push_back(sockets(1, true, second).front());
    doors_.inherit({passed, log_});
    auto const doors = open({"127.0.0.1:0", first.to_string()}, 1);
    ASSERT_TRUE(doors);
    auto const& mine = doors->front();
    ASSERT_EQ(mine.size(), 2U);
    EXPECT_EQ(local_endpoint(mine[0].socket.get()), second);
    EXPECT_EQ(local_endpoint(mine[1].socket.get()), first);
}

TEST_F(DoorsTest, OtherAddressesAreBound) {
    Endpoint at;
    doors_.inherit({sockets(1, true, at), log_});
    auto const doors = open({at.to_string(), "127.0.0.1:0"}, 2);
    ASSERT_TRUE(doors);
    EXPECT_EQ(distinct(*doors).size(), 4U);
}

TEST_F(DoorsTest, WhatIsInheritedIsSpentAtOnce) {
    Endpoint at;
    auto const passed = sockets(1, true, at);
    doors_.inherit({passed, log_});
    ASSERT_TRUE(open({"127.0.0.1:0", "127.0.0.1:0"}, 1)) << "one takes it, one is bound";
    auto const again = open({at.to_string()}, 1);
    EXPECT_TRUE(again) << "closed with the doors of the first time, it is bound anew";
}

}  // namespace
}  // namespace stanzagate::proxy
