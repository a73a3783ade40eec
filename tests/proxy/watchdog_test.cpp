#include "proxy/watchdog.hpp"
#include "tests/proxy/captured_log.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

struct LimitCase {
    const char* name;
    const char* microseconds;
    const char* pid;
    std::optional<std::chrono::microseconds> expected;
};

class WatchdogLimitTest : public ::testing::TestWithParam<LimitCase> {};

TEST_P(WatchdogLimitTest, IsWhatTheVariablesSay) {
    auto const& param = GetParam();
    EXPECT_EQ(watchdog_limit(77, param.microseconds, param.pid), param.expected);
}

INSTANTIATE_TEST_SUITE_P(Table, WatchdogLimitTest,
                         ::testing::Values(LimitCase{"None", nullptr, nullptr, std::nullopt},
                                           LimitCase{"Ours", "30000000", "77", 30s},
                                           LimitCase{"Anybodys", "30000000", nullptr, 30s},
                                           LimitCase{"AnotherProcess", "30000000", "78",
                                                     std::nullopt},
                                           LimitCase{"Zero", "0", "77", std::nullopt},
                                           LimitCase{"Nonsense", "1s", "77", std::nullopt},
                                           LimitCase{"Empty", "", "", std::nullopt}),
                         [](auto const& test) { return std::string(test.param.name); });

// With loops that come to their tasks when the test says so.
class WatchdogTest : public ::testing::Test {
protected:
    // The loop comes to all of its tasks.
    void run(std::size_t loop) {
        for (auto const& task : std::exchange(tasks_[loop], {})) task();
    }
    // One look, at what was done since the last.
    void look() { background_.run_one(); }

    testing::CapturedLog logged_;
    Log log_{{}};
    boost::asio::io_context background_{1};
    std::vector<std::vector<std::function<void()>>> tasks_{3};
    int alive_ = 0;
    bool fails_ = false;  // to give one of them a task
    Watchdog watchdog_{background_,
                       {[this](auto task) { tasks_[0].push_back(std::move(task)); },
                        [this](auto task) {
                            if (fails_) throw std::bad_alloc();
                            tasks_[1].push_back(std::move(task));
                        },
                        [this](auto task) { tasks_[2].push_back(std::move(task)); }},
                       [this] { ++alive_; },
                       log_};
};

TEST_F(WatchdogTest, SpeaksWhileAllLoopsRun) {
    watchdog_.start(4ms);
    for (int round = 1; round <= 5; ++round) {
        for (std::size_t loop = 0; loop < 3; ++loop) run(loop);
        look();
        EXPECT_EQ(alive_, round);
    }
    EXPECT_EQ(logged_.text(), "");
}

TEST_F(WatchdogTest, IsSilentWhileOneIsStuck) {
    watchdog_.start(4ms);
    for (int i = 0; i < 10; ++i) {
        run(0);
        run(2);
        look();
    }
    EXPECT_EQ(alive_, 0);
    run(1);
    look();
    EXPECT_EQ(alive_, 1) << "it runs again";
    look();
    EXPECT_EQ(alive_, 1) << "and all are asked anew";
    auto const log = logged_.text();
    EXPECT_EQ(log.find("event=worker_stuck count=1"), log.rfind("event=worker_stuck"))
        << "said once: " << log;
}

// What a loop had to do in an earlier round says nothing about this one.
TEST_F(WatchdogTest, AnOldAnswerIsNone) {
    watchdog_.start(4ms);
    for (std::size_t loop = 0; loop < 3; ++loop) run(loop);
    look();
    auto const old = tasks_;
    watchdog_.stop();
    background_.restart();
    background_.run();
    watchdog_.start(4ms);
    background_.restart();
    for (auto const& loop : old)
        for (auto const& task : loop) task();
    look();
    EXPECT_EQ(alive_, 1);
}

TEST_F(WatchdogTest, ARoundThatCouldNotBeginIsNotTheLast) {
    watchdog_.start(4ms);
    for (std::size_t loop = 0; loop < 3; ++loop) run(loop);
    fails_ = true;
    EXPECT_THROW(look(), std::bad_alloc);
    EXPECT_EQ(alive_, 1);
    fails_ = false;
    look();
    for (std::size_t loop = 0; loop < 3; ++loop) run(loop);
    look();
    EXPECT_EQ(alive_, 2);
}

TEST_F(WatchdogTest, StopsWhenTold) {
    watchdog_.start(4ms);
    watchdog_.stop();
    background_.run();  // returns, since there is nothing to wait for
    EXPECT_EQ(alive_, 0);
}

}  // namespace
}  // namespace stanzagate::proxy
