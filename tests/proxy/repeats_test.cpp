#include "proxy/repeats.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;
using config::LogLevel;

class RepeatsTest : public ::testing::Test {
protected:
    bool first(std::string_view event, const std::vector<Field>& fields) {
        return repeats_.is_first(LogLevel::warning, event, fields, now_);
    }
    // As "event key=value ...", one for each.
    std::vector<std::string> over() {
        std::vector<std::string> said;
        for (auto const& told : repeats_.over(now_)) {
            EXPECT_EQ(told.level, LogLevel::warning);
            said.push_back(told.event);
            for (auto const& field : told.fields)
                said.back() += ' ' + std::string(field.key) + '=' + field.value;
        }
        return said;
    }
    using Said = std::vector<std::string>;

    Repeats repeats_;
    Repeats::Clock::time_point now_{1h};
};

TEST_F(RepeatsTest, TheFirstIsSaidAndTheOthersAreCounted) {
    EXPECT_TRUE(first("e", {{"reason", "r"}}));
    for (int i = 0; i < 312; ++i) EXPECT_FALSE(first("e", {{"reason", "r"}}));
    now_ += Repeats::window - 1ms;
    EXPECT_EQ(over(), Said{});
    now_ += 1ms;
    EXPECT_EQ(over(), Said{"e reason=r repeated=312"});
    EXPECT_EQ(over(), Said{}) << "once";
}

TEST_F(RepeatsTest, WhatGoesOnIsToldOnceAWindow) {
    first("e", {});
    for (int window = 0; window < 3; ++window) {
        EXPECT_FALSE(first("e", {}));
        EXPECT_FALSE(first("e", {}));
        now_ += Repeats::window;
        EXPECT_EQ(over(), Said{"e repeated=2"});
    }
    now_ += Repeats::window;
    EXPECT_EQ(over(), Said{}) << "a whole window in which nothing came";
    EXPECT_TRUE(first("e", {})) << "begins anew";
}

TEST_F(RepeatsTest, NobodyHasToAskInTime) {
    first("e", {});
    now_ += 100 * Repeats::window;
    EXPECT_FALSE(first("e", {})) << "counted until it is asked for";
    EXPECT_EQ(over(), Said{"e repeated=1"});
}

TEST_F(RepeatsTest, WhatDiffersIsSaid) {
    EXPECT_TRUE(first("e", {{"reason", "a"}, {"peer", "192.0.2.1"}}));
    EXPECT_TRUE(first("e", {{"reason", "b"}, {"peer", "192.0.2.1"}}));
    EXPECT_TRUE(first("e", {{"reason", "a"}, {"peer", "192.0.2.2"}}));
    EXPECT_TRUE(first("f", {{"reason", "a"}, {"peer", "192.0.2.1"}}));
    EXPECT_TRUE(first("e", {{"reason", "ab"}, {"peer", ""}}));
    EXPECT_TRUE(first("e", {{"reason", "a"}, {"peer", "b"}})) << "not the same as the one before";
    EXPECT_FALSE(first("e", {{"reason", "a"}, {"peer", "192.0.2.2"}}));
}

TEST_F(RepeatsTest, WhatIsOfOneSessionAloneMakesNoDifference) {
    EXPECT_TRUE(first("e", {{"session", "0-1"}, {"why", "w"}}));
    EXPECT_FALSE(first("e", {{"session", "1-2"}, {"why", "w"}}));
    now_ += Repeats::window;
    EXPECT_EQ(over(), Said{"e why=w repeated=1"});
}

// Whoever can choose what stands in a line could fill our memory with it.
TEST_F(RepeatsTest, ClientsAreCountedTogetherWhereThereAreTooMany) {
    auto const line = [](std::size_t number) {
        return std::vector<Field>{{"host", "h" + std::to_string(number)},
                                  {"peer", "p" + std::to_string(number)},
                                  {"reason", "r"}};
    };
    for (std::size_t i = 0; i < Repeats::most_kinds; ++i) EXPECT_TRUE(first("e", line(i)));
    EXPECT_TRUE(first("e", line(Repeats::most_kinds))) << "the first of all the others";
    for (std::size_t i = 1; i < 100'000; ++i)
        ASSERT_FALSE(first("e", line(Repeats::most_kinds + i)));
    EXPECT_FALSE(first("e", line(0))) << "who is known is counted apart";
    EXPECT_TRUE(first("e", {{"reason", "another"}})) << "and so is another reason";
    now_ += Repeats::window;
    auto said = over();
    EXPECT_EQ(said, (Said{"e host=h0 peer=p0 reason=r repeated=1", "e reason=r repeated=99999"}));
    EXPECT_TRUE(first("e", line(1))) << "who has not come again is forgotten";
}

TEST_F(RepeatsTest, AtTheEndAllIsTold) {
    first("e", {});
    first("e", {});
    now_ = Repeats::Clock::time_point::max();
    EXPECT_EQ(over(), Said{"e repeated=1"});
}

}  // namespace
}  // namespace stanzagate::proxy
