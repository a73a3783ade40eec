#include "proxy/admin_server.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "proxy/socket_address.hpp"
#include "proxy/status_command.hpp"
#include "tests/proxy/captured_log.hpp"
#include "tests/proxy/sockets.hpp"
#include "tests/temporary_folder.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;
using config::AdminAddress;

constexpr std::string_view get = "GET /path HTTP/1.1\r\nHost: here\r\n\r\n";

// A server on a background loop of its own, that answers with the path it was asked for.
class AdminServerTest : public ::testing::Test {
protected:
    AdminServerTest() {
        server_.answer_by([](const HttpRequest& request) {
            HttpResponse response;
            response.body = request.method + ' ' + request.path;
            response.head_only = request.method == "HEAD";
            return response;
        });
    }
    ~AdminServerTest() override {
        background_.stop();
        if (thread_.joinable()) thread_.join();
    }

    void run() {
        thread_ = std::thread([this] { background_.run(); });
    }
    AdminAddress socket_at(const std::string& name) const { return {folder_.path() / name}; }
    std::filesystem::path file(const std::string& name) const { return folder_.path() / name; }

    static std::string asked(const AdminAddress& address, std::string_view request = get) {
        auto const fd = connect_to_admin(address);
        if (!fd) return "nobody";
        say(fd, request);
        return hear_to_end(fd);
    }
    // Listening at a port that the kernel chose: where that is, its log tells.
    static AdminAddress told_by(const std::string& log) {
        std::string_view constexpr mark = "address=127.0.0.1:";
        auto const port = log.substr(log.rfind(mark) + mark.size());
        return {*config::Endpoint::parse("127.0.0.1:" + port.substr(0, port.find_first_of(" \n")))};
    }

    TemporaryFolder folder_;
    CapturedLog logged_;
    Log log_{{}};
    boost::asio::io_context background_{1};
    AdminServer server_{background_, log_};
    std::thread thread_;
};

TEST_F(AdminServerTest, AnswersOverTcp) {
    ASSERT_TRUE(server_.listen(AdminAddress{*config::Endpoint::parse("127.0.0.1:0")}));
    auto const address = told_by(logged_.text());
    run();
    EXPECT_EQ(asked(address),
              "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nGET /path");
    EXPECT_EQ(asked(address, "HEAD /p?q=1 HTTP/1.0\r\n\r\n"),
              "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n");
}

TEST_F(AdminServerTest, AnswersOverASocketOfItsOwner) {
    ASSERT_TRUE(server_.listen(socket_at("s")));
    run();
    EXPECT_TRUE(asked(socket_at("s")).ends_with("GET /path"));
    struct stat found{};
    ASSERT_EQ(::lstat(file("s").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0660U);
}

TEST_F(AdminServerTest, AnswersWhatComesInPieces) {
    ASSERT_TRUE(server_.listen(socket_at("s")));
    run();
    for (std::size_t cut = 1; cut < get.size(); cut += 3) {
        auto const fd = connect_to_admin(socket_at("s"));
        say(fd, get.substr(0, cut));
        say(fd, get.substr(cut));
        EXPECT_TRUE(hear_to_end(fd).ends_with("GET /path")) << cut;
    }
}

TEST_F(AdminServerTest, RefusesWhatItCannotRead) {
    ASSERT_TRUE(server_.listen(socket_at("s")));
    run();
    EXPECT_TRUE(asked(socket_at("s"), "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
    std::string const much(20'000, 'x');
    EXPECT_TRUE(asked(socket_at("s"), "GET /" + much).starts_with("HTTP/1.1 431 "));
    std::string const chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_TRUE(asked(socket_at("s"), chunked + "0;" + much).starts_with("HTTP/1.1 431 "));
    EXPECT_TRUE(
        asked(socket_at("s"), "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12345")
            .starts_with("HTTP/1.1 413 "));
}

// Another process answers at the same socket; in a file, that goes with the last of them, unless a
// service manager has made it.
TEST_F(AdminServerTest, HandsItsSocketOver) {
    for (bool const ours : {true, false}) {
        auto const address = socket_at(ours ? "ours" : "given");
        AdminServer first(background_, log_);
        ASSERT_TRUE(first.listen(address));
        auto const passed = first.socket();
        ASSERT_TRUE(passed);
        EXPECT_TRUE(passed->ours);
        EXPECT_EQ(passed->use, SocketUse::admin);
        InheritedSockets inherited({{::dup(passed->fd), SocketUse::admin, ours}}, log_);
        first.hand_over();
        EXPECT_FALSE(first.socket());
        auto second = std::make_unique<AdminServer>(background_, log_);
        second->answer_by([](const HttpRequest&) { return plain_response(404); });
        second->inherit(inherited.take_admin(address));
        ASSERT_TRUE(second->listen(address));
        EXPECT_EQ(second->socket()->ours, ours);
        run();
        EXPECT_TRUE(asked(address).starts_with("HTTP/1.1 404 "));
        background_.stop();
        thread_.join();
        background_.restart();
        second->listen(std::nullopt);
        background_.poll();  // what it was waiting for is over
        background_.restart();
        second.reset();
        EXPECT_EQ(std::filesystem::exists(*address.socket()), !ours);
    }
}

// However many wait and say nothing: who asks is answered.
TEST_F(AdminServerTest, LetsTheOldestGo) {
    ASSERT_TRUE(server_.listen(socket_at("s")));
    run();
    std::vector<Fd> idle;
    for (std::size_t i = 0; i < AdminServer::most_connections + 5; ++i) {
        idle.push_back(connect_to_admin(socket_at("s")));
        ASSERT_TRUE(idle.back());
    }
    EXPECT_TRUE(asked(socket_at("s")).ends_with("GET /path"));
    EXPECT_EQ(hear_to_end(idle.front()), "");
    say(idle.back(), get);
    EXPECT_TRUE(hear_to_end(idle.back()).ends_with("GET /path"));
}

TEST_F(AdminServerTest, Moves) {
    ASSERT_TRUE(server_.listen(socket_at("a")));
    ASSERT_TRUE(server_.listen(socket_at("a")));
    ASSERT_TRUE(server_.listen(socket_at("b")));
    run();
    EXPECT_TRUE(asked(socket_at("b")).ends_with("GET /path"));
    EXPECT_EQ(asked(socket_at("a")), "nobody");
    EXPECT_FALSE(std::filesystem::exists(file("a")));
}

// 127.0.0.1 and 0.0.0.0 cannot be bound at one port by two who do not mean to share it.
TEST_F(AdminServerTest, MovesToAnotherAddressOfItsPort) {
    ASSERT_TRUE(server_.listen(AdminAddress{*config::Endpoint::parse("127.0.0.1:0")}));
    auto const loopback = told_by(logged_.text());
    auto const port = std::to_string(loopback.endpoint()->port);
    ASSERT_TRUE(server_.listen(AdminAddress{*config::Endpoint::parse("0.0.0.0:" + port)}));
    auto const second = AdminAddress{*config::Endpoint::parse("127.0.0.2:" + port)};
    // Nobody else shares it.
    auto const robbed = AdminSocket::open(second);
    EXPECT_TRUE(std::holds_alternative<std::string>(robbed));
    run();
    EXPECT_TRUE(asked(loopback).ends_with("GET /path"));
    EXPECT_TRUE(asked(second).ends_with("GET /path"));
}

// What was shared for the moment of moving is not, after it went wrong.
TEST_F(AdminServerTest, KeepsItsPortForItselfIfItCannotMove) {
    ASSERT_TRUE(server_.listen(AdminAddress{*config::Endpoint::parse("127.0.0.1:0")}));
    auto const loopback = told_by(logged_.text());
    auto const port = std::to_string(loopback.endpoint()->port);
    // Of no interface of this machine (RFC 5737).
    EXPECT_FALSE(server_.listen(AdminAddress{*config::Endpoint::parse("192.0.2.1:" + port)}));
    int const one = 1;
    Fd const other(::socket(AF_INET, SOCK_STREAM, 0));
    ::setsockopt(other.get(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    auto const to = to_socket_address(*loopback.endpoint());
    EXPECT_NE(::bind(other.get(), to.get(), to.size), 0);
    run();
    EXPECT_TRUE(asked(loopback).ends_with("GET /path"));
}

TEST_F(AdminServerTest, StaysWhereItWasIfItCannotMove) {
    ASSERT_TRUE(server_.listen(socket_at("a")));
    EXPECT_FALSE(server_.listen(AdminAddress{file("none") / "b"}));
    run();
    EXPECT_TRUE(asked(socket_at("a")).ends_with("GET /path"));
    EXPECT_NE(logged_.text().find("event=cannot_listen address=unix:" + file("none/b").string() +
                                  " reason=\"No such file or directory\" key=server.admin"),
              std::string::npos);
}

TEST_F(AdminServerTest, IsNoLongerThereWithoutAnAddress) {
    ASSERT_TRUE(server_.listen(socket_at("a")));
    ASSERT_TRUE(server_.listen(std::nullopt));
    EXPECT_EQ(asked(socket_at("a")), "nobody");
    EXPECT_FALSE(std::filesystem::exists(file("a")));
}

// A process that was killed leaves its file; one that lives is not robbed of it.
TEST_F(AdminServerTest, ReplacesAFileThatWasLeftBehind) {
    {
        auto opened = AdminSocket::open(socket_at("s"));
        auto* const dead = std::get_if<AdminSocket>(&opened);
        ASSERT_TRUE(dead);
        std::filesystem::rename(file("s"), file("left"));
    }
    ASSERT_TRUE(std::filesystem::exists(file("left")));
    ASSERT_TRUE(server_.listen(socket_at("left")));
    run();
    EXPECT_TRUE(asked(socket_at("left")).ends_with("GET /path"));
}

TEST_F(AdminServerTest, LeavesOthersTheirFiles) {
    auto const alive = AdminSocket::open(socket_at("s"));
    ASSERT_TRUE(std::holds_alternative<AdminSocket>(alive));
    EXPECT_FALSE(server_.listen(socket_at("s")));
    std::ofstream(file("text")) << "something else";
    EXPECT_FALSE(server_.listen(socket_at("text")));
    EXPECT_EQ(std::filesystem::file_size(file("text")), 14U);
}

TEST_F(AdminServerTest, IsAskedByTheCommand) {
    server_.answer_by([](const HttpRequest& request) {
        HttpResponse response;
        response.body = request.path == "/status.json" ? std::string(100'000, 's') : "";
        return response;
    });
    ASSERT_TRUE(server_.listen(socket_at("s")));
    run();
    auto const told = ask_status(socket_at("s"));
    EXPECT_EQ(std::get<std::string>(told), std::string(100'000, 's'));
}

TEST_F(AdminServerTest, TheCommandSaysWhatIsWrong) {
    auto const error = [](const AdminAddress& address) {
        auto const told = ask_status(address);
        auto const* const failed = std::get_if<StatusError>(&told);
        return failed ? failed->what : "none";
    };
    EXPECT_EQ(error(socket_at("s")), "unix:" + file("s").string() + ": No such file or directory");
    EXPECT_EQ(error({*config::Endpoint::parse("127.0.0.1:0")}),
              "127.0.0.1:0: port 0 is chosen anew at each start, so nobody knows where to ask");
    server_.answer_by([](const HttpRequest&) { return plain_response(404); });
    ASSERT_TRUE(server_.listen(socket_at("s")));
    run();
    EXPECT_EQ(error(socket_at("s")),
              "unix:" + file("s").string() + ": what answers there is no stanzagate");
}

}  // namespace
}  // namespace stanzagate::proxy
