#include "proxy/memory_trim.hpp"

#include <gtest/gtest.h>

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;

class MemoryTrimTest : public ::testing::Test {
protected:
    void SetUp() override { releases = 0; }
    void begin(std::size_t sessions) {
        for (; sessions > 0; --sessions) trim_.began();
    }
    void end(std::size_t sessions) {
        for (; sessions > 0; --sessions) trim_.ended();
    }
    bool is_due() {
        bool const due = !deadlines_.empty();
        deadlines_.run();
        return due;
    }

    inline static int releases = 0;
    Deadlines deadlines_;
    MemoryTrim trim_{deadlines_, [] { ++releases; }, {.wave = 0ms, .churn = 0ms}};
};

TEST_F(MemoryTrimTest, AfterAQuarterHasGone) {
    begin(1000);
    end(249);
    EXPECT_FALSE(is_due());
    end(1);
    EXPECT_TRUE(is_due());
    EXPECT_EQ(releases, 1);
}

TEST_F(MemoryTrimTest, OnceForAWave) {
    begin(1000);
    end(1000);
    EXPECT_TRUE(is_due());
    EXPECT_FALSE(is_due());
    EXPECT_EQ(releases, 1);
}

TEST_F(MemoryTrimTest, AgainForWhoGoesLater) {
    begin(1000);
    end(500);
    EXPECT_TRUE(is_due());
    end(124);
    EXPECT_FALSE(is_due());
    end(1);
    EXPECT_TRUE(is_due());
    EXPECT_EQ(releases, 2);
}

// Others have come in their place.
TEST_F(MemoryTrimTest, AfterAsManyHaveComeAndGone) {
    begin(1000);
    for (int i = 0; i < 249; ++i) {
        end(1);
        begin(1);
    }
    EXPECT_FALSE(is_due());
    end(1);
    begin(1);
    EXPECT_TRUE(is_due());
    EXPECT_FALSE(is_due());
    EXPECT_EQ(releases, 1);
}

TEST_F(MemoryTrimTest, SoonerForAWaveThanForThose) {
    MemoryTrim trim(deadlines_, [] { ++releases; }, {.wave = 0ms, .churn = 1h});
    for (int i = 0; i < 1000; ++i) trim.began();
    for (int i = 0; i < 500; ++i) {
        trim.ended();
        trim.began();
    }
    deadlines_.run();
    EXPECT_EQ(releases, 0);
    for (int i = 0; i < 250; ++i) trim.ended();
    deadlines_.run();
    EXPECT_EQ(releases, 1);
    EXPECT_TRUE(deadlines_.empty());
}

TEST_F(MemoryTrimTest, NeverForFewHoweverManyComeAndGo) {
    begin(MemoryTrim::fewest - 1);
    for (int i = 0; i < 10'000; ++i) {
        end(1);
        begin(1);
    }
    end(MemoryTrim::fewest - 1);
    EXPECT_FALSE(is_due());
    EXPECT_EQ(releases, 0);
}

}  // namespace
}  // namespace stanzagate::proxy
