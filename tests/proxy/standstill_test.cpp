#include "proxy/standstill.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/event_loop.hpp"
#include "tests/proxy/sockets.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;
using namespace std::chrono_literals;

class StandstillTest : public ::testing::Test {
protected:
    StandstillTest() {
        for (auto& loop : loops_) {
            posts_.emplace_back(
                [&loop](std::function<void()> task) { loop.post(std::move(task)); });
            threads_.emplace_back([&loop] { loop.run(); });
        }
    }
    ~StandstillTest() override {
        for (auto& loop : loops_) loop.stop();
        for (auto& thread : threads_) thread.join();
    }

    std::array<EventLoop, 3> loops_;
    std::vector<Standstill::Post> posts_;
    std::vector<std::thread> threads_;
};

TEST_F(StandstillTest, NothingRunsUntilItIsOver) {
    std::atomic<int> ran = 0;
    {
        Standstill const standstill(posts_, 10s);
        ASSERT_TRUE(standstill);
        for (auto const& post : posts_) post([&] { ++ran; });
        std::this_thread::yield();
        EXPECT_EQ(ran, 0);
    }
    EXPECT_TRUE(eventually([&] { return ran == 3; }));
}

TEST_F(StandstillTest, OneThatDoesNotAnswerDoesNotHoldUpTheOthers) {
    std::atomic<bool> hangs = true;
    posts_.front()([&] {
        while (hangs) std::this_thread::yield();
    });
    std::atomic<int> ran = 0;
    {
        Standstill const standstill(posts_, 1ms);
        EXPECT_FALSE(standstill);
    }
    for (auto const& post : posts_) post([&] { ++ran; });
    EXPECT_TRUE(eventually([&] { return ran == 2; }));
    hangs = false;
    EXPECT_TRUE(eventually([&] { return ran == 3; })) << "and goes on when it can";
}

}  // namespace
}  // namespace stanzagate::proxy
