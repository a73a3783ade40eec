#include "proxy/admission.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;
using Refusal = Admission::Refusal;

const Admission::Clock::time_point start{1000h};

config::Address address(const std::string& text) {
    return config::Address::parse(text).value();
}

config::Limits limits(double rate, std::size_t per_address = 1'000'000,
                      std::size_t connections = 1'000'000) {
    config::Limits result;
    result.connect_rate = rate;
    result.connections_per_address = per_address;
    result.connections = connections;
    return result;
}

// How many of `tries` get in at that time.
int admitted(Admission& admission, const std::string& from, Admission::Clock::time_point now,
             int tries) {
    int in = 0;
    for (int i = 0; i < tries; ++i)
        if (admission.enter_address(address(from), now) == Refusal::none) ++in;
    return in;
}

struct RateCase {
    const char* name;
    double rate;
    Admission::Clock::duration later;
    int at_once;  // of 1000 tries
    int then;     // of 1000 more
};

class AdmissionRateTest : public ::testing::TestWithParam<RateCase> {};

TEST_P(AdmissionRateTest, BurstIsTwoSecondsWorth) {
    auto const& param = GetParam();
    Admission admission(limits(param.rate));
    EXPECT_EQ(admitted(admission, "192.0.2.1", start, 1000), param.at_once);
    EXPECT_EQ(admitted(admission, "192.0.2.1", start + param.later, 1000), param.then);
}

INSTANTIATE_TEST_SUITE_P(Table, AdmissionRateTest,
                         ::testing::Values(RateCase{"at_once", 20, 0s, 40, 0},
                                           RateCase{"one_second", 20, 1s, 40, 20},
                                           RateCase{"two_seconds", 20, 2s, 40, 40},
                                           RateCase{"an_hour_is_no_more", 20, 1h, 40, 40},
                                           RateCase{"fifty_ms", 20, 50ms, 40, 1},
                                           RateCase{"fast", 400, 500ms, 800, 200},
                                           RateCase{"ten_a_minute", 10.0 / 60, 5s, 1, 0},
                                           RateCase{"ten_a_minute_later", 10.0 / 60, 6100ms, 1, 1},
                                           RateCase{"one_a_second", 1, 1s, 2, 1}),
                         [](auto const& test) { return std::string(test.param.name); });

struct SameCase {
    const char* name;
    const char* one;
    const char* other;
    bool same;
};

class AdmissionKeyTest : public ::testing::TestWithParam<SameCase> {};

TEST_P(AdmissionKeyTest, CountTogether) {
    auto const& param = GetParam();
    Admission admission(limits(1000, 1));
    ASSERT_EQ(admission.enter_address(address(param.one), start), Refusal::none);
    EXPECT_EQ(admission.enter_address(address(param.other), start),
              param.same ? Refusal::connections_per_address : Refusal::none);
    EXPECT_EQ(admission.known_addresses(), param.same ? 1U : 2U);
}

INSTANTIATE_TEST_SUITE_P(
    Table, AdmissionKeyTest,
    ::testing::Values(SameCase{"same_v4", "192.0.2.1", "192.0.2.1", true},
                      SameCase{"other_v4", "192.0.2.1", "192.0.2.2", false},
                      SameCase{"mapped_is_v4", "192.0.2.1", "::ffff:192.0.2.1", true},
                      SameCase{"same_64", "2001:db8::1", "2001:db8::ffff:1:2:3", true},
                      SameCase{"other_64", "2001:db8::1", "2001:db8:0:1::1", false},
                      SameCase{"loopbacks", "127.0.0.1", "::1", false},
                      SameCase{"v4_and_lookalike", "192.0.2.1", "c000:201::1", false}),
    [](auto const& test) { return std::string(test.param.name); });

TEST(AdmissionTest, ConnectionsInAllAreGivenBack) {
    Admission admission(limits(1000, 1000, 2));
    EXPECT_EQ(admission.enter(), Refusal::none);
    EXPECT_EQ(admission.enter(), Refusal::none);
    EXPECT_EQ(admission.enter(), Refusal::connections);
    EXPECT_EQ(admission.connections(), 2U);
    admission.leave();
    EXPECT_EQ(admission.enter(), Refusal::none);
}

TEST(AdmissionTest, ConnectionsOfAnAddressAreGivenBack) {
    Admission admission(limits(1000, 2));
    auto const from = address("2001:db8::1");
    EXPECT_EQ(admitted(admission, "2001:db8::1", start, 5), 2);
    EXPECT_EQ(admission.enter_address(from, start), Refusal::connections_per_address);
    admission.leave_address(address("2001:db8::2"));  // the same /64
    EXPECT_EQ(admission.enter_address(from, start), Refusal::none);
    EXPECT_EQ(admission.enter_address(from, start), Refusal::connections_per_address);
    EXPECT_EQ(admission.enter_address(address("192.0.2.1"), start), Refusal::none);
}

TEST(AdmissionTest, RateHoldsThoughAddressesComeAndGo) {
    Admission admission(limits(20));
    for (int i = 0; i < 40; ++i) {
        ASSERT_EQ(admission.enter_address(address("192.0.2.1"), start), Refusal::none);
        admission.leave_address(address("192.0.2.1"));
    }
    EXPECT_EQ(admission.enter_address(address("192.0.2.1"), start), Refusal::connect_rate);
    // also while the table is tidied up for others
    for (int i = 0; i < 5000; ++i)
        admission.enter_address(
            config::Address::from(config::Address::V4{10, 0, static_cast<std::uint8_t>(i >> 8U),
                                                      static_cast<std::uint8_t>(i & 255)}),
            start);
    EXPECT_EQ(admission.enter_address(address("192.0.2.1"), start), Refusal::connect_rate);
}

TEST(AdmissionTest, TicketsGiveBackWhatTheyTookAndNoMore) {
    Admission admission(limits(1000, 1, 2));
    auto const from = address("192.0.2.1");
    {
        Ticket first(admission);
        EXPECT_EQ(first.enter(), Refusal::none);
        EXPECT_EQ(first.enter_address(from), Refusal::none);
        {
            Ticket second(admission);
            EXPECT_EQ(second.enter(), Refusal::none);
            EXPECT_EQ(second.enter_address(from), Refusal::connections_per_address);
            Ticket third(admission);
            EXPECT_EQ(third.enter(), Refusal::connections);
            EXPECT_EQ(admission.connections(), 2U);
        }
        EXPECT_EQ(admission.connections(), 1U);
        Ticket again(admission);
        EXPECT_EQ(again.enter_address(from), Refusal::connections_per_address);
    }
    EXPECT_EQ(admission.connections(), 0U);
    Ticket late(admission);
    EXPECT_EQ(late.enter_address(from), Refusal::none);
    {
        Ticket const never(admission);
    }
    EXPECT_EQ(admission.connections(), 0U);
}

config::Address numbered(unsigned i) {
    return config::Address::from(config::Address::V6{
        0x20, 1, 0xd, 0xb8, static_cast<std::uint8_t>(i >> 16U),
        static_cast<std::uint8_t>(i >> 8U & 255U), static_cast<std::uint8_t>(i & 255U)});
}

// A hundred thousand addresses, each once: those of the last two seconds are known, and as many
// again at most.
TEST(AdmissionTest, MemoryIsBounded) {
    Admission admission(limits(20));
    std::size_t most = 0;
    for (unsigned i = 0; i < 100'000; ++i) {
        auto const now = start + i * 1ms;  // 2000 in two seconds
        ASSERT_EQ(admission.enter_address(numbered(i), now), Refusal::none);
        admission.leave_address(numbered(i));
        most = std::max(most, admission.known_addresses());
    }
    EXPECT_LE(most, 4100U);
}

TEST(AdmissionTest, WhoIsConnectedIsNotForgotten) {
    Admission admission(limits(20, 1));
    for (unsigned i = 0; i < 3000; ++i) admission.enter_address(numbered(i), start);
    for (unsigned i = 0; i < 50'000; ++i) {
        admission.enter_address(numbered(10'000 + i), start + i * 1ms);
        admission.leave_address(numbered(10'000 + i));
    }
    for (unsigned i = 0; i < 3000; ++i)
        ASSERT_EQ(admission.enter_address(numbered(i), start + 1h),
                  Refusal::connections_per_address);
}

// All workers share it.
TEST(AdmissionTest, ThreadsCountTogether) {
    Admission admission(limits(1e9, 1'000'000, 1'000'000));
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([&admission, t] {
            for (unsigned i = 0; i < 5000; ++i) {
                Ticket ticket(admission);
                ticket.enter();
                ticket.enter_address(numbered(i % 50 + t));
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(admission.connections(), 0U);
}

}  // namespace
}  // namespace stanzagate::proxy
