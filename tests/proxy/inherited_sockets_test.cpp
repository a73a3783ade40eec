#include "proxy/inherited_sockets.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "proxy/listener.hpp"
#include "proxy/socket_address.hpp"
#include "tests/proxy/captured_log.hpp"
#include "tests/temporary_folder.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;
using config::AdminAddress;
using config::Endpoint;

// --- what the variables say

struct VariablesCase {
    const char* name;
    const char* pid;
    const char* count;
    const char* names;
    std::vector<std::string> expected;  // "FD USE", "ours" behind it
};

class PassedSocketsTest : public ::testing::TestWithParam<VariablesCase> {};

std::string described(const PassedSocket& socket) {
    std::string text = std::to_string(socket.fd);
    text += socket.use == SocketUse::any    ? " any"
            : socket.use == SocketUse::door ? " door"
                                            : " admin";
    return socket.ours ? text + " ours" : text;
}

TEST_P(PassedSocketsTest, AreWhatTheVariablesSay) {
    auto const& param = GetParam();
    std::vector<std::string> found;
    for (auto const& socket : passed_sockets(77, param.pid, param.count, param.names))
        found.push_back(described(socket));
    EXPECT_EQ(found, param.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, PassedSocketsTest,
    ::testing::Values(
        VariablesCase{"Nothing", nullptr, nullptr, nullptr, {}},
        VariablesCase{"OfSystemd", "77", "2", "stanzagate.socket:other", {"3 any", "4 any"}},
        VariablesCase{"WithoutNames", "77", "2", nullptr, {"3 any", "4 any"}},
        VariablesCase{"FewerNames", "77", "2", "stanzagate-given-admin", {"3 admin", "4 any"}},
        VariablesCase{"MoreNames", "77", "1", "a:b:c", {"3 any"}},
        VariablesCase{"OfStanzagate",
                      "77",
                      "3",
                      "stanzagate-opened-door:stanzagate-given-door:stanzagate-opened-admin",
                      {"3 door ours", "4 door", "5 admin ours"}},
        VariablesCase{"ForAnother", "78", "2", nullptr, {}},
        VariablesCase{"ForNobody", nullptr, "2", nullptr, {}},
        VariablesCase{"NoNumber", "77", "2 ", nullptr, {}},
        VariablesCase{"Negative", "77", "-1", nullptr, {}},
        VariablesCase{"Endless", "77", "99999999999999", nullptr, {}}),
    [](auto const& test) { return std::string(test.param.name); });

TEST(PassedSocketTest, ItsNameSaysAllOfIt) {
    for (auto const use : {SocketUse::door, SocketUse::admin})
        for (bool const ours : {true, false}) {
            PassedSocket const socket{9, use, ours};
            EXPECT_EQ(described(PassedSocket::named(9, socket.name())), described(socket));
        }
}

// --- the sockets

constexpr auto loopback = "127.0.0.1:0";

class InheritedSocketsTest : public ::testing::Test {
protected:
    // A listening socket, which is to be inherited; where it is.
    Endpoint open(const char* where, SocketUse use = SocketUse::any) {
        auto endpoint = *Endpoint::parse(where);
        auto socket = open_listening_socket(endpoint);
        pass(std::get<Fd>(std::move(socket)), use);
        return endpoint;
    }
    void pass(Fd fd, SocketUse use = SocketUse::any, bool ours = false) {
        passed_.push_back({fd.release(), use, ours});
    }
    // A UNIX socket in a file.
    AdminAddress open_file(bool listen = true) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        auto const file = folder_.path() / "socket";
        std::strncpy(address.sun_path, file.c_str(), sizeof address.sun_path - 1);
        Fd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
        EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        if (listen) {
            EXPECT_EQ(::listen(fd.get(), 1), 0);
        }
        pass(std::move(fd));
        return {file};
    }
    InheritedSockets inherit() { return {passed_, log_}; }

    TemporaryFolder folder_;
    testing::CapturedLog logged_;
    Log log_{{}};
    std::vector<PassedSocket> passed_;
};

TEST_F(InheritedSocketsTest, AreFoundByTheirAddress) {
    auto const first = open(loopback);
    auto const second = open(loopback);
    auto const v6 = open("[::1]:0");
    auto const file = open_file();
    auto inherited = inherit();
    auto const found = inherited.take(second);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(local_endpoint(found.front().fd.get()), second);
    EXPECT_TRUE(inherited.take(second).empty()) << "taken";
    EXPECT_EQ(inherited.take(v6).size(), 1U);
    EXPECT_TRUE(inherited.take_admin(file));
    EXPECT_TRUE(inherited.take_admin({first}));
    inherited.close_rest(log_);
    EXPECT_EQ(logged_.text(), "");
}

TEST_F(InheritedSocketsTest, AllOfOneAddressComeTogether) {
    auto const first = open(loopback);
    open(loopback);
    open(first.to_string().c_str());
    EXPECT_EQ(inherit().take(first).size(), 2U);
}

TEST_F(InheritedSocketsTest, OneSocketCountsOnce) {
    auto const first = open(loopback);
    pass(Fd(::dup(passed_.front().fd)));
    EXPECT_EQ(inherit().take(first).size(), 1U);
}

TEST_F(InheritedSocketsTest, AnyPortIsWhatIsLeftOfTheAddress) {
    auto const admin = open(loopback, SocketUse::admin);
    open("[::1]:0");
    auto const first = open(loopback);
    auto const second = open(loopback);
    open(second.to_string().c_str());
    auto inherited = inherit();
    auto const any = *Endpoint::parse(loopback);
    auto const taken = inherited.take(any);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(*taken.front().where.endpoint(), first);
    EXPECT_EQ(inherited.take(any).size(), 2U);
    EXPECT_TRUE(inherited.take(any).empty()) << "the admin's is not for clients";
    auto const of_admin = inherited.take_admin({any});
    ASSERT_TRUE(of_admin);
    EXPECT_EQ(*of_admin->where.endpoint(), admin);
}

TEST_F(InheritedSocketsTest, AnyPortOfTheAdminIsNoDoorOfAServiceManager) {
    open(loopback);
    EXPECT_FALSE(inherit().take_admin({*Endpoint::parse(loopback)}));
}

TEST_F(InheritedSocketsTest, ArePrepared) {
    auto const where = open(loopback);
    auto const fd = passed_.front().fd;
    int const off = 0;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &off, sizeof off);
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &off, sizeof off);
    ::fcntl(fd, F_SETFD, 0);
    ::fcntl(fd, F_SETFL, 0);
    auto const taken = inherit().take(where);
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    std::pair<int, int> const options[] = {{IPPROTO_TCP, TCP_NODELAY}, {SOL_SOCKET, SO_KEEPALIVE}};
    for (auto const& [level, name] : options) {
        int value = 0;
        socklen_t size = sizeof value;
        ::getsockopt(fd, level, name, &value, &size);
        EXPECT_EQ(value, 1);
    }
}

TEST_F(InheritedSocketsTest, WhatNobodyNamesIsClosed) {
    auto const where = open(loopback);
    auto const fd = passed_.front().fd;
    auto inherited = inherit();
    inherited.close_rest(log_);
    EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
    auto const log = logged_.text();
    EXPECT_NE(log.find("level=warning event=inherited_socket address=" + where.to_string()),
              std::string::npos)
        << log;
    EXPECT_NE(log.find("consequence=closed"), std::string::npos);
}

TEST_F(InheritedSocketsTest, WhatIsNoListeningStreamIsClosed) {
    pass(Fd(::socket(AF_INET, SOCK_DGRAM, 0)));
    pass(Fd(::socket(AF_INET, SOCK_STREAM, 0)));  // listens nowhere
    pass(Fd(::open("/dev/null", O_RDONLY)));
    open_file(false);
    pass(Fd(::dup(0)), SocketUse::door);
    passed_.push_back({100'000});  // nothing at all
    inherit().close_rest(log_);
    for (auto const& socket : passed_) EXPECT_EQ(::fcntl(socket.fd, F_GETFD), -1) << socket.fd;
    auto const log = logged_.text();
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 6);
}

TEST_F(InheritedSocketsTest, SaysThatASocketTakesBothFamilies) {
    Fd fd(::socket(AF_INET6, SOCK_STREAM, 0));
    int const off = 0;
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    ASSERT_EQ(::listen(fd.get(), 1), 0);  // at [::] and a port of the kernel's choice
    auto const where = local_endpoint(fd.get());
    pass(std::move(fd));
    EXPECT_EQ(inherit().take(where).size(), 1U) << "but it is used";
    EXPECT_NE(logged_.text().find("BindIPv6Only=ipv6-only"), std::string::npos);
}

TEST_F(InheritedSocketsTest, TheVariablesAreForNobodyElse) {
    for (auto const* const name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
        ::setenv(name, "1", 1);
    InheritedSockets::from_environment(log_);
    for (auto const* const name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
        EXPECT_EQ(std::getenv(name), nullptr);
}

}  // namespace
}  // namespace stanzagate::proxy
