#include "filters/quotas.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stanzagate::filters {
namespace {

using namespace std::chrono_literals;
using config::Address;
using config::Quota;
using config::QuotaBy;

constexpr Quotas::TimePoint start{1000h};

// Asks in the name of one rule, with addresses as text; "" is unknown.
class QuotasTest : public testing::Test {
protected:
    bool holds(std::string_view address, Quotas::TimePoint now = start) {
        auto const from = parsed(address);
        return quotas_.holds(rule_, quota_, {.address = from, .host = host_}, now);
    }
    std::optional<Reservation> reserve(std::string_view address, Quotas::TimePoint now = start) {
        auto const from = parsed(address);
        return quotas_.reserve(rule_, quota_, {.address = from, .host = host_}, now);
    }
    // Reserves and commits, which must work.
    void spend(std::string_view address, Quotas::TimePoint now = start) {
        auto reservation = reserve(address, now);
        ASSERT_TRUE(reservation) << address;
        ASSERT_TRUE(quotas_.commit(std::move(*reservation), now));
    }
    static std::optional<Address> parsed(std::string_view address) {
        if (address.empty()) return std::nullopt;
        auto const result = Address::parse(address);
        if (!result) ADD_FAILURE() << address << " is no address";
        return result;
    }

    Quotas quotas_;
    std::string_view rule_ = "guests";
    std::string_view host_ = "example.org";
    Quota quota_{.count = 1, .per = 1h, .by = QuotaBy::address};
};

struct Pair {
    const char* name;
    QuotaBy by;
    std::string_view one;
    std::string_view other;
    bool together;
    std::string_view host_of_other = "example.org";
};

void PrintTo(const Pair& test, std::ostream* out) {
    *out << test.one << ' ' << test.other;
}

class QuotasBy : public QuotasTest, public testing::WithParamInterface<Pair> {};

TEST_P(QuotasBy, CountsTogetherOrApart) {
    quota_.by = GetParam().by;
    spend(GetParam().one);
    EXPECT_FALSE(holds(GetParam().one));
    host_ = GetParam().host_of_other;
    EXPECT_EQ(holds(GetParam().other), !GetParam().together);
    EXPECT_EQ(reserve(GetParam().other).has_value(), !GetParam().together);
}

INSTANTIATE_TEST_SUITE_P(
    All, QuotasBy,
    testing::Values(
        Pair{"address_same", QuotaBy::address, "192.0.2.1", "192.0.2.1", true},
        Pair{"address_other", QuotaBy::address, "192.0.2.1", "192.0.2.0", false},
        Pair{"address_whatever_host", QuotaBy::address, "192.0.2.1", "192.0.2.1", true,
             "b.example"},
        Pair{"address_mapped", QuotaBy::address, "192.0.2.1", "::ffff:192.0.2.1", true},
        Pair{"address_same_64", QuotaBy::address, "2001:db8:1:2::1", "2001:db8:1:2:ffff::", true},
        Pair{"address_other_64", QuotaBy::address, "2001:db8:1:2::1", "2001:db8:1:3::1", false},
        Pair{"address_v6_is_not_v4", QuotaBy::address, "::192.0.2.1", "192.0.2.1", false},
        Pair{"address_unknown", QuotaBy::address, "", "", true},
        Pair{"address_unknown_is_not_zero", QuotaBy::address, "", "0.0.0.0", false},
        Pair{"address_unknown_is_not_zero_v6", QuotaBy::address, "", "::", false},
        Pair{"network_same_24", QuotaBy::network, "192.0.2.0", "192.0.2.255", true},
        Pair{"network_other_24", QuotaBy::network, "192.0.2.255", "192.0.3.0", false},
        Pair{"network_mapped", QuotaBy::network, "192.0.2.1", "::ffff:192.0.2.2", true},
        Pair{"network_same_48", QuotaBy::network, "2001:db8:1::", "2001:db8:1:ffff::", true},
        Pair{"network_other_48", QuotaBy::network, "2001:db8:1:ffff::", "2001:db8:2::", false},
        Pair{"network_unknown", QuotaBy::network, "", "", true},
        Pair{"host_same", QuotaBy::host, "192.0.2.1", "2001:db8::1", true},
        Pair{"host_same_unknown", QuotaBy::host, "192.0.2.1", "", true},
        Pair{"host_other", QuotaBy::host, "192.0.2.1", "192.0.2.1", false, "b.example"},
        Pair{"host_longer", QuotaBy::host, "192.0.2.1", "192.0.2.1", false, "example.organic"},
        Pair{"all", QuotaBy::all, "192.0.2.1", "2001:db8::1", true, "b.example"},
        Pair{"all_unknown", QuotaBy::all, "192.0.2.1", "", true}),
    [](auto const& tested) { return std::string(tested.param.name); });

TEST_F(QuotasTest, RulesCountApart) {
    for (auto const by : {QuotaBy::address, QuotaBy::network, QuotaBy::host, QuotaBy::all}) {
        quota_.by = by;
        rule_ = "guests";
        spend("192.0.2.1");
        rule_ = "friends";
        EXPECT_TRUE(holds("192.0.2.1"));
    }
    // The name of a host and that of a rule run into each other.
    quota_.by = QuotaBy::host;
    host_ = "a.b";
    rule_ = "c";
    spend("");
    host_ = "a.";
    rule_ = "bc";
    EXPECT_TRUE(holds(""));
    // And so do an address, shorter or longer, and the name of a rule.
    quota_.by = QuotaBy::address;
    rule_ = "x";
    spend("2001:db8:6161:6161::");
    rule_ = "aaaax";
    EXPECT_TRUE(holds("32.1.13.184"));
}

TEST_F(QuotasTest, HoldsUntilSpent) {
    quota_.count = 3;
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(holds("192.0.2.1"));
        spend("192.0.2.1");
    }
    EXPECT_FALSE(holds("192.0.2.1"));
    EXPECT_FALSE(reserve("192.0.2.1"));
    EXPECT_EQ(quotas_.refused_for_space(), 0U);
}

TEST_F(QuotasTest, OfNoneNeverHolds) {
    quota_.count = 0;
    EXPECT_FALSE(holds("192.0.2.1"));
    EXPECT_FALSE(reserve("192.0.2.1"));
    EXPECT_EQ(quotas_.keys(), 0U);
    EXPECT_EQ(quotas_.refused_for_space(), 0U);
}

TEST_F(QuotasTest, AskingTakesNothing) {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(holds("192.0.2.1"));
    EXPECT_EQ(quotas_.keys(), 0U);
}

TEST_F(QuotasTest, ARegistrationCountsUntilExactlyPerAgo) {
    spend("192.0.2.1");
    EXPECT_FALSE(holds("192.0.2.1", start + 1h - 1ns));
    EXPECT_TRUE(holds("192.0.2.1", start + 1h));
    spend("192.0.2.1", start + 1h);
    EXPECT_FALSE(holds("192.0.2.1", start + 2h - 1ns));
    EXPECT_TRUE(holds("192.0.2.1", start + 2h));
}

TEST_F(QuotasTest, TheWindowSlides) {
    quota_.count = 2;
    spend("192.0.2.1", start);
    spend("192.0.2.1", start + 59min);
    EXPECT_FALSE(holds("192.0.2.1", start + 59min));
    spend("192.0.2.1", start + 60min);  // the first has gone
    EXPECT_FALSE(holds("192.0.2.1", start + 118min));
    EXPECT_TRUE(holds("192.0.2.1", start + 119min));
}

TEST_F(QuotasTest, ItCountsFromTheAnswerNotFromTheAttempt) {
    auto reservation = reserve("192.0.2.1", start);
    EXPECT_TRUE(quotas_.commit(std::move(*reservation), start + 5min));
    EXPECT_FALSE(holds("192.0.2.1", start + 64min));
    EXPECT_TRUE(holds("192.0.2.1", start + 65min));
}

TEST_F(QuotasTest, AttemptsCountWhileUnderWay) {
    quota_.count = 2;
    auto first = reserve("192.0.2.1");
    auto second = reserve("192.0.2.1");
    ASSERT_TRUE(first && second);
    EXPECT_FALSE(holds("192.0.2.1"));
    EXPECT_FALSE(reserve("192.0.2.1"));
    EXPECT_EQ(quotas_.attempts(), 2U);

    quotas_.cancel(std::move(*first));
    EXPECT_TRUE(holds("192.0.2.1"));
    EXPECT_TRUE(quotas_.commit(std::move(*second), start));
    EXPECT_TRUE(holds("192.0.2.1"));
    EXPECT_EQ(quotas_.attempts(), 0U);
    spend("192.0.2.1");
    EXPECT_FALSE(holds("192.0.2.1"));
}

TEST_F(QuotasTest, AttemptsOutlastAShortPer) {
    quota_.per = 1s;
    auto const reservation = reserve("192.0.2.1");
    ASSERT_TRUE(reservation);
    EXPECT_FALSE(holds("192.0.2.1", start + 1min));
}

TEST_F(QuotasTest, ACancelledAttemptLeavesNothing) {
    auto reservation = reserve("192.0.2.1");
    EXPECT_EQ(quotas_.keys(), 1U);
    quotas_.cancel(std::move(*reservation));
    EXPECT_EQ(quotas_.keys(), 0U);
    EXPECT_EQ(quotas_.times(), 0U);
}

// In each order; the other one's place is never given away.
TEST_F(QuotasTest, AttemptsEndInAnyOrder) {
    for (bool const reversed : {false, true})
        for (int committed = 0; committed < 4; ++committed) {
            Quotas quotas;
            Quota const quota{.count = 2, .per = 1h, .by = QuotaBy::all};
            std::optional<Address> const nobody;
            QuotaClient const client{.address = nobody, .host = host_};
            std::vector<Reservation> made;
            for (int i = 0; i < 2; ++i) made.push_back(*quotas.reserve("r", quota, client, start));
            std::size_t successes = 0;
            for (int step = 0; step < 2; ++step) {
                auto const which = static_cast<unsigned>(reversed ? 1 - step : step);
                if ((static_cast<unsigned>(committed) >> which & 1U) != 0) {
                    EXPECT_TRUE(quotas.commit(std::move(made[which]), start));
                    ++successes;
                } else {
                    quotas.cancel(std::move(made[which]));
                }
                EXPECT_EQ(quotas.attempts(), static_cast<std::size_t>(1 - step));
                EXPECT_EQ(quotas.times(), successes);
            }
            EXPECT_EQ(quotas.holds("r", quota, client, start), successes < 2);
        }
}

TEST_F(QuotasTest, AReservationIsGivenBackOnce) {
    quota_.count = 2;
    auto const kept = reserve("192.0.2.1");
    auto reservation = reserve("192.0.2.1");
    ASSERT_TRUE(kept && reservation);
    Reservation moved = std::move(*reservation);
    quotas_.cancel(std::move(*reservation));  // NOLINT(bugprone-use-after-move): empty
    EXPECT_FALSE(
        quotas_.commit(std::move(*reservation), start));  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(quotas_.attempts(), 2U);
    EXPECT_TRUE(quotas_.commit(std::move(moved), start));
    EXPECT_EQ(quotas_.attempts(), 1U);
}

TEST_F(QuotasTest, AnAttemptThatIsNeverGivenBackRunsOut) {
    auto lost = reserve("192.0.2.1", start);
    auto later = reserve("192.0.2.2", start + 1ns);
    EXPECT_FALSE(holds("192.0.2.1", start + Quotas::longest_attempt - 1ns));
    EXPECT_EQ(quotas_.attempts(), 2U);
    EXPECT_TRUE(holds("192.0.2.1", start + Quotas::longest_attempt));
    EXPECT_EQ(quotas_.attempts(), 1U);
    EXPECT_EQ(quotas_.keys(), 1U);
    // Too late, and it must not be taken for another.
    EXPECT_FALSE(quotas_.commit(std::move(*lost), start + Quotas::longest_attempt));
    EXPECT_TRUE(holds("192.0.2.1", start + Quotas::longest_attempt));
    EXPECT_FALSE(holds("192.0.2.2", start + Quotas::longest_attempt));
    EXPECT_FALSE(quotas_.commit(std::move(*later), start + Quotas::longest_attempt + 1ns));
    EXPECT_EQ(quotas_.keys(), 0U);
}

TEST_F(QuotasTest, TimeThatGoesBackwardsStandsStill) {
    quota_.count = 2;
    spend("192.0.2.1", start);
    spend("192.0.2.1", start - 30min);
    EXPECT_FALSE(holds("192.0.2.1", start + 1h - 1ns));
    spend("192.0.2.1", start + 1h);
    EXPECT_TRUE(holds("192.0.2.1", start));  // still an hour later: both have gone
}

TEST_F(QuotasTest, WorksFromTheFirstMomentOfTheClock) {
    constexpr Quotas::TimePoint zero{};
    quota_.per = std::chrono::milliseconds::max();
    spend("192.0.2.1", zero);
    EXPECT_FALSE(holds("192.0.2.1", zero + Quotas::longest_per - 1ns));
    EXPECT_TRUE(holds("192.0.2.1", zero + Quotas::longest_per));
}

TEST_F(QuotasTest, AreJudgedByTheCountOfToday) {
    quota_.count = 2;
    spend("192.0.2.1");
    quota_.count = 1;
    EXPECT_FALSE(holds("192.0.2.1"));
    quota_.count = 3;
    spend("192.0.2.1");
    EXPECT_TRUE(holds("192.0.2.1"));
    quota_.count = 1;
    EXPECT_FALSE(holds("192.0.2.1"));
}

TEST_F(QuotasTest, AreJudgedByThePerOfToday) {
    spend("192.0.2.1", start);
    quota_.per = 10min;
    EXPECT_TRUE(holds("192.0.2.1", start + 30min));
    spend("192.0.2.1", start + 30min);
    EXPECT_FALSE(holds("192.0.2.1", start + 40min - 1ns));
    quota_.per = 1h;  // the first still counts: it was kept for so long
    quota_.count = 2;
    EXPECT_FALSE(holds("192.0.2.1", start + 60min - 1ns));
    EXPECT_TRUE(holds("192.0.2.1", start + 60min));
}

TEST_F(QuotasTest, KeysGoWithTheirLastRegistration) {
    for (int i = 0; i < 200; ++i) spend("192.0.2." + std::to_string(i), start + i * 1s);
    EXPECT_EQ(quotas_.keys(), 200U);
    EXPECT_EQ(quotas_.times(), 200U);
    // Each call gives back a few.
    EXPECT_TRUE(holds("192.0.2.255", start + 2h));
    EXPECT_GE(quotas_.keys(), 150U);
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(holds("192.0.2.255", start + 2h));
    EXPECT_EQ(quotas_.keys(), 0U);
    EXPECT_EQ(quotas_.times(), 0U);
}

// It lets its old times go by itself, before its turn comes.
TEST_F(QuotasTest, ABusyKeyKeepsNoMoreThanItNeeds) {
    for (int i = 0; i < 1000; ++i)
        spend("10.0." + std::to_string(i / 256) + '.' + std::to_string(i % 256));
    rule_ = "busy";
    quota_ = {.count = 10, .per = 10s, .by = QuotaBy::all};
    for (int i = 0; i < 1000; ++i) {
        spend("", start + i * 1s);
        ASSERT_LE(quotas_.times(), 1000U + 20U);
    }
}

}  // namespace
}  // namespace stanzagate::filters
