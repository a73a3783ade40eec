#include "proxy/takeover.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "proxy/listener.hpp"
#include "proxy/socket_address.hpp"
#include "tests/proxy/captured_log.hpp"
#include "tests/proxy/sockets.hpp"
#include "tests/temporary_folder.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;
using namespace std::chrono_literals;

// --- what the new process is started with

class SuccessorTest : public ::testing::Test {
protected:
    // Runs a script of the shell in this process's place; its output, when it has ended.
    std::string run(const std::string& script, const std::vector<PassedSocket>& sockets = {}) {
        auto const out = folder_.path() / "out";
        auto started = start_successor(
            {"/bin/sh", {"its-name", "-c", "exec >" + out.string() + "; " + script}}, sockets);
        if (auto const* const why = std::get_if<std::string>(&started)) return *why;
        auto const& successor = std::get<Successor>(started);
        pid_ = successor.pid;
        EXPECT_EQ(::waitpid(pid_, &status_, 0), pid_);
        std::ostringstream text;
        text << std::ifstream(out).rdbuf();
        return text.str();
    }

    TemporaryFolder folder_;
    pid_t pid_ = 0;
    int status_ = -1;
};

TEST_F(SuccessorTest, ItsVariablesAreForItself) {
    ::setenv("WATCHDOG_PID", "1", 1);
    ::setenv("LISTEN_FDNAMES", "of-another-time", 1);
    ::setenv("KEPT", "as it is", 1);
    auto const said =
        run("echo $$ $LISTEN_PID $WATCHDOG_PID $LISTEN_FDS \"[$LISTEN_FDNAMES]\" $KEPT");
    for (auto const* const name : {"WATCHDOG_PID", "LISTEN_FDNAMES", "KEPT"}) ::unsetenv(name);
    auto const pid = std::to_string(pid_);
    EXPECT_EQ(said, pid + ' ' + pid + ' ' + pid + " 0 [] as it is\n");
}

TEST_F(SuccessorTest, ItHasTheSocketsAndNoOtherDescriptors) {
    auto first = *config::Endpoint::parse("127.0.0.1:0");
    auto second = first;
    auto const a = std::get<Fd>(open_listening_socket(first));
    auto const b = std::get<Fd>(open_listening_socket(second));
    // one that is at the place of the other, and one that a library might leave open
    Fd const leaked(::dup(0));
    auto const said =
        run("echo $LISTEN_FDS $LISTEN_FDNAMES $STANZAGATE_TAKEOVER; cd /proc/$$/fd; "
            "for n in 0 1 2 3 4 5 6 7 8 9 10 11 12; do [ -e $n ] && echo -n \"$n \"; done; echo; "
            "readlink 3 4",
            {{b.get(), SocketUse::door, true}, {a.get(), SocketUse::admin, false}});
    auto const link_of = [](const Fd& fd) {
        return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd.get())).string();
    };
    EXPECT_TRUE(said.starts_with("2 stanzagate-opened-door:stanzagate-given-admin 5\n")) << said;
    EXPECT_NE(said.find("\n0 1 2 3 4 5 \n"), std::string::npos) << said;
    EXPECT_TRUE(said.ends_with(link_of(b) + '\n' + link_of(a) + '\n')) << said;
}

TEST_F(SuccessorTest, ItIsNotEndedBySignalsThatItDoesNotKnowYet) {
    EXPECT_EQ(run("kill -HUP $$; kill -USR2 $$; echo alive"), "alive\n");
    run("kill -TERM $$; echo alive");
    EXPECT_TRUE(WIFSIGNALED(status_));
}

TEST_F(SuccessorTest, AProgramThatIsNotThereIsAnError) {
    auto const started = start_successor({"/nonexistent/program", {"program"}}, {});
    ASSERT_TRUE(std::holds_alternative<std::string>(started));
    EXPECT_EQ(std::get<std::string>(started), "/nonexistent/program: No such file or directory");
}

TEST_F(SuccessorTest, TheProgramIsNamedAsItWasCalled) {
    std::array const with_path{"/opt/bin/gate", "run"};
    EXPECT_EQ(this_program(2, with_path.data()).path, "/opt/bin/gate");
    EXPECT_EQ(this_program(2, with_path.data()).arguments,
              (std::vector<std::string>{"/opt/bin/gate", "run"}));
    std::array const from_here{"./gate"};
    EXPECT_EQ(this_program(1, from_here.data()).path,
              (std::filesystem::current_path() / "./gate").string());
    std::array const in_path{"sh"};
    EXPECT_TRUE(this_program(1, in_path.data()).path.ends_with("/sh"));
    std::array const unknown{"no-program-of-this-name"};
    EXPECT_EQ(this_program(1, unknown.data()).path,
              std::filesystem::read_symlink("/proc/self/exe").string());
}

// --- how a takeover goes on

// With a script of the shell for the new process.
class TakeoverTest : public ::testing::Test {
protected:
    ~TakeoverTest() override {
        if (takeover_.is_done()) ::waitpid(successor_, nullptr, 0);
    }
    // Until there is nothing more to wait for.
    void run() {
        background_.restart();
        background_.run();
    }
    std::variant<Successor, std::string> start() {
        auto started = start_successor({"/bin/sh", {"sh", "-c", script_}}, {});
        if (auto const* const successor = std::get_if<Successor>(&started))
            successor_ = successor->pid;
        return started;
    }
    bool is_gone() const { return ::kill(successor_, 0) != 0; }

    testing::CapturedLog logged_;
    Log log_{{}};
    boost::asio::io_context background_{1};
    std::string script_;
    pid_t successor_ = 0;
    std::vector<std::string> done_;
    Takeover takeover_{
        background_,
        {[this] { return start(); }, [this] { done_.emplace_back("handed over"); },
         [this] { done_.emplace_back("reloaded"); }, [this] { done_.emplace_back("ended"); }},
        log_,
        {.pause = 1ms}};
};

// The channel is descriptor 3, where there are no sockets.
constexpr auto ready = "printf r >&3; ";

TEST_F(TakeoverTest, HandsOverToOneThatIsReady) {
    script_ = std::string(ready) + "exit 0";
    takeover_.begin();
    EXPECT_EQ(done_, std::vector<std::string>()) << "not before";
    run();
    EXPECT_TRUE(takeover_.is_done());
    EXPECT_EQ(done_, std::vector<std::string>{"handed over"});
    takeover_.begin();
    auto const log = logged_.text();
    EXPECT_NE(log.find("event=takeover pid=" + std::to_string(successor_)), std::string::npos);
    EXPECT_NE(log.find("event=taken_over pid=" + std::to_string(successor_)), std::string::npos);
    EXPECT_NE(log.find("event=takeover_refused reason=\"a new process has taken over already\""),
              std::string::npos);
}

// The other end of the channel is closed then: that is what the new process waits for.
TEST_F(TakeoverTest, TellsTheNewOneWhenItMayGoOn) {
    script_ = std::string(ready) + "cat <&3; exit 0";
    takeover_.begin();
    run();
    int status = -1;
    EXPECT_EQ(::waitpid(successor_, &status, 0), successor_);
    EXPECT_EQ(status, 0);
}

TEST_F(TakeoverTest, OneThatDiesAfterItHasTakenOverTakesTheOldOneAlong) {
    script_ = std::string(ready) + "cat <&3; kill -SEGV $$";
    takeover_.begin();
    run();
    EXPECT_EQ(done_, (std::vector<std::string>{"handed over", "ended"}));
    EXPECT_NE(logged_.text().find("event=successor_ended pid=" + std::to_string(successor_) +
                                  " reason=\"it was ended by a signal: Segm"),
              std::string::npos);
    EXPECT_EQ(::kill(successor_, 0), 0) << "its status is for the next parent";
}

TEST_F(TakeoverTest, OneThatFailsAfterItHasTakenOverIsNoBetter) {
    script_ = std::string(ready) + "cat <&3; exit 3";
    takeover_.begin();
    run();
    EXPECT_EQ(done_, (std::vector<std::string>{"handed over", "ended"}));
}

struct FailureCase {
    const char* name;
    const char* script;
    const char* reason;
};

class TakeoverFailureTest : public TakeoverTest,
                            public ::testing::WithParamInterface<FailureCase> {};

TEST_P(TakeoverFailureTest, TheOldOneServesOn) {
    script_ = GetParam().script;
    takeover_.begin();
    takeover_.begin();
    run();
    EXPECT_FALSE(takeover_.is_done());
    EXPECT_EQ(done_, std::vector<std::string>());
    EXPECT_TRUE(is_gone());
    script_ = std::string(ready) + "exit 0";
    takeover_.begin();
    run();
    EXPECT_TRUE(takeover_.is_done()) << "the next one is as good as the first";
    auto const log = logged_.text();
    EXPECT_NE(log.find("event=takeover_refused reason=\"one is under way\""), std::string::npos);
    EXPECT_NE(
        log.find("level=error event=takeover_failed reason=\"" + std::string(GetParam().reason)),
        std::string::npos)
        << log;
}

INSTANTIATE_TEST_SUITE_P(
    Table, TakeoverFailureTest,
    ::testing::Values(FailureCase{"WrongConfiguration", "exit 1", "it ended with exit code 1: the"},
                      FailureCase{"OldProgram", "exit 2", "it ended with exit code 2: it does not"},
                      FailureCase{"CannotBind", "exit 3", "it ended with exit code 3: it could"},
                      FailureCase{"SomethingElse", "exit 77", "it ended with exit code 77\""},
                      FailureCase{"Crashes", "kill -SEGV $$", "it was ended by a signal: Segm"},
                      FailureCase{"SaysSomethingElse", "printf x >&3; exec cat <&3",
                                  "it was ended by a signal: Killed"},
                      FailureCase{"ClosesTheChannel", "exec 3>&-; exec sleep 1000",
                                  "it was ended by a signal: Killed"}),
    [](auto const& test) { return std::string(test.param.name); });

TEST_F(TakeoverTest, OneThatIsNotReadyInTimeIsEnded) {
    script_ = "exec cat <&3";
    Takeover takeover(background_, {[this] { return start(); }, [] {}, [] {}, [] {}}, log_,
                      {.limit = 1ms});
    takeover.begin();
    run();
    EXPECT_TRUE(is_gone());
    EXPECT_NE(logged_.text().find("event=takeover_failed reason=\"it was not ready within"),
              std::string::npos);
}

TEST(WhyNoSuccessorTest, WhereEverythingWouldEndWithThisProcess) {
    EXPECT_NE(why_no_successor(1, 0, false), "") << "of a container";
    EXPECT_NE(why_no_successor(7, 1, false), "") << "of a container with an init";
    EXPECT_EQ(why_no_successor(7, 1, true), "") << "of systemd";
    EXPECT_EQ(why_no_successor(7, 6, false), "") << "of a shell";
}

TEST_F(TakeoverTest, OneThatCannotBeStartedIsAnError) {
    Takeover takeover(background_, {[] { return std::string("no reason"); }, [] {}, [] {}, [] {}},
                      log_);
    takeover.begin();
    EXPECT_NE(logged_.text().find("event=takeover_failed reason=\"no reason\""), std::string::npos);
}

TEST_F(TakeoverTest, WhoStopsTakesTheNewOneAlong) {
    script_ = "exec cat <&3";
    takeover_.begin();
    takeover_.abandon();
    EXPECT_TRUE(is_gone());
    run();
    takeover_.begin();
    EXPECT_NE(logged_.text().find("event=takeover_refused reason=\"the process stops\""),
              std::string::npos);
}

TEST_F(TakeoverTest, AReloadInBetweenIsForTheOneThatServesThen) {
    EXPECT_FALSE(takeover_.sees_to_reload());
    script_ = "exit 1";
    takeover_.begin();
    EXPECT_TRUE(takeover_.sees_to_reload());
    run();
    EXPECT_EQ(done_, std::vector<std::string>{"reloaded"});

    // one that SIGHUP ends, since it ignores it no more
    script_ = "exec /usr/bin/env --default-signal=HUP /bin/sh -c '" + std::string(ready) +
              "exec sleep 1000'";
    takeover_.begin();
    EXPECT_TRUE(takeover_.sees_to_reload());
    run();
    EXPECT_EQ(done_, (std::vector<std::string>{"reloaded", "handed over", "ended"}));
    int status = 0;
    EXPECT_EQ(::waitpid(successor_, &status, 0), successor_);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
}

TEST_F(TakeoverTest, AReloadAfterwardsIsPassedOn) {
    script_ = "exec /usr/bin/env --default-signal=HUP /bin/sh -c '" + std::string(ready) +
              "exec sleep 1000'";
    takeover_.begin();
    while (!takeover_.is_done()) background_.run_one();
    EXPECT_TRUE(takeover_.sees_to_reload());
    run();
    int status = 0;
    EXPECT_EQ(::waitpid(successor_, &status, 0), successor_);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
    EXPECT_NE(logged_.text().find("event=reload_passed_on pid=" + std::to_string(successor_)),
              std::string::npos);
}

}  // namespace
}  // namespace stanzagate::proxy
