#include "proxy/signals.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;

class SignalsTest : public ::testing::Test {
protected:
    std::function<void()> failing(const char* what) {
        return [this, what] {
            done_.emplace_back(what);
            throw std::runtime_error("no memory");
        };
    }
    // As the background loop of the server, which goes on after an exception.
    void send(int signal) {
        ASSERT_EQ(::raise(signal), 0);
        EXPECT_THROW(background_.run_for(10s), std::runtime_error);
    }

    boost::asio::io_context background_{1};
    std::vector<std::string> done_;
    Signals signals_{background_, {failing("stop"), failing("reload"), failing("take over")}};
};

TEST_F(SignalsTest, AnActionThatFailsIsNotTheLast) {
    for (int i = 0; i < 2; ++i) send(SIGHUP);
    for (int i = 0; i < 2; ++i) send(SIGUSR2);
    EXPECT_EQ(done_, (std::vector<std::string>{"reload", "reload", "take over", "take over"}));
}

using SignalsDeathTest = SignalsTest;

TEST_F(SignalsDeathTest, TheSecondSignalToStopEndsTheProcess) {
    EXPECT_EXIT(
        {
            send(SIGTERM);
            ::raise(SIGTERM);
            background_.run_for(10s);
            ::_exit(1);
        },
        ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace stanzagate::proxy
