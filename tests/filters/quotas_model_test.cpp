// Quotas against an implementation that keeps everything that ever happened and counts it anew each
// time, and against its own limits.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "filters/quotas.hpp"

namespace stanzagate::filters {
namespace {

using namespace std::chrono_literals;
using config::Address;
using config::Network;
using config::Quota;
using config::QuotaBy;
using TimePoint = Quotas::TimePoint;

constexpr TimePoint start{1000h};

class Model {
public:
    bool holds(const std::string& key, const Quota& quota, TimePoint now) {
        expire(now);
        auto const live = std::ranges::count_if(successes_, [&](auto const& success) {
            return success.first == key && now - success.second < quota.per;
        });
        auto const attempts = std::ranges::count_if(
            attempts_, [&](auto const& attempt) { return std::get<1>(attempt) == key; });
        return static_cast<std::size_t>(live + attempts) < quota.count;
    }
    void reserve(int id, const std::string& key, TimePoint now) {
        attempts_.emplace_back(id, key, now);
    }
    bool end(int id, bool success, TimePoint now) {
        expire(now);
        auto const found = std::ranges::find_if(
            attempts_, [&](auto const& attempt) { return std::get<0>(attempt) == id; });
        if (found == attempts_.end()) return false;
        if (success) successes_.emplace_back(std::get<1>(*found), now);
        attempts_.erase(found);
        return true;
    }
    std::size_t attempts() const { return attempts_.size(); }

private:
    void expire(TimePoint now) {
        std::erase_if(attempts_, [&](auto const& attempt) {
            return now - std::get<2>(attempt) >= Quotas::longest_attempt;
        });
    }

    std::vector<std::pair<std::string, TimePoint>> successes_;
    std::vector<std::tuple<int, std::string, TimePoint>> attempts_;
};

std::string model_key(const std::string& rule, QuotaBy by, const QuotaClient& client) {
    auto const network = [&](unsigned v4, unsigned v6) {
        if (!client.address) return std::string("unknown");
        return Network::of(*client.address, client.address->is_v4() ? v4 : v6).to_string();
    };
    switch (by) {
        case QuotaBy::address:
            return rule + " address " + network(32, 64);
        case QuotaBy::network:
            return rule + " network " + network(24, 48);
        case QuotaBy::host:
            return rule + " host " + std::string(client.host);
        case QuotaBy::all:
            return rule + " all";
    }
    return rule;
}

class QuotasModel : public testing::TestWithParam<unsigned> {};

TEST_P(QuotasModel, SaysTheSame) {
    std::mt19937 random(GetParam());
    auto const below = [&](int bound) {
        return std::uniform_int_distribution<int>(0, bound - 1)(random);
    };
    constexpr std::array addresses{"",
                                   "192.0.2.1",
                                   "192.0.2.2",
                                   "192.0.3.1",
                                   "2001:db8:1:1::1",
                                   "2001:db8:1:1::2",
                                   "2001:db8:1:2::1",
                                   "2001:db8:2::1",
                                   "::ffff:192.0.2.1"};
    constexpr std::array hosts{"a.example", "b.example"};
    constexpr std::array rules{"r", "s", "t", "u"};
    constexpr std::array kinds{QuotaBy::address, QuotaBy::network, QuotaBy::host, QuotaBy::all};
    // Some are shorter than an attempt may last, and some longer.
    constexpr std::array<std::chrono::milliseconds, 4> lengths{5s, 2min, 15min, 1h};
    std::vector<Quota> quotas;
    for (std::size_t i = 0; i < rules.size(); ++i)
        quotas.push_back({.count = static_cast<std::size_t>(below(5)),
                          .per = lengths.at(static_cast<std::size_t>(below(4))),
                          .by = kinds.at(i)});

    Quotas tested;
    Model model;
    std::vector<std::pair<int, Reservation>> open;
    TimePoint now = start;
    std::array<int, 2> answers{};
    constexpr int steps = 1500;
    for (int step = 0; step < steps; ++step) {
        // Whole multiples of what windows are made of, so that "exactly so long ago" comes up.
        constexpr std::array<std::chrono::nanoseconds, 8> passes{0s, 0s, 0s,   1s,
                                                                 1s, 5s, 1min, 5min};
        now += passes.at(static_cast<std::size_t>(below(8)));
        if (step == steps / 2)  // a reload: other counts, and no longer stretches of time
            for (auto& quota : quotas) {
                quota.count = static_cast<std::size_t>(below(5));
                if (below(2) == 0) quota.per /= 2;
            }
        auto const which = static_cast<std::size_t>(below(static_cast<int>(rules.size())));
        auto const address = Address::parse(addresses.at(static_cast<std::size_t>(below(9))));
        QuotaClient const client{.address = address,
                                 .host = hosts.at(static_cast<std::size_t>(below(2)))};
        auto const key = model_key(rules.at(which), quotas[which].by, client);
        auto const expected = model.holds(key, quotas[which], now);
        ++answers.at(expected ? 1 : 0);
        switch (below(4)) {
            case 0:
                ASSERT_EQ(tested.holds(rules.at(which), quotas[which], client, now), expected)
                    << step;
                break;
            case 1: {
                auto reservation = tested.reserve(rules.at(which), quotas[which], client, now);
                ASSERT_EQ(reservation.has_value(), expected) << step;
                if (!reservation) break;
                model.reserve(step, key, now);
                if (below(10) > 0) open.emplace_back(step, std::move(*reservation));  // else lost
                break;
            }
            default: {
                if (open.empty()) break;
                auto const at = open.begin() + below(static_cast<int>(open.size()));
                bool const success = below(3) > 0;
                bool const known = model.end(at->first, success, now);
                if (success)
                    ASSERT_EQ(tested.commit(std::move(at->second), now), known) << step;
                else
                    tested.cancel(std::move(at->second));
                open.erase(at);
            }
        }
    }
    EXPECT_GT(answers[0], 5);
    EXPECT_GT(answers[1], 5);

    // In the end everything is given back.
    now += 1h;
    std::optional<Address> const nobody;
    for (int i = 0; i < 20; ++i)
        EXPECT_FALSE(tested.holds("other", {.count = 0, .per = 1s, .by = QuotaBy::all},
                                  {.address = nobody, .host = ""}, now));
    EXPECT_EQ(tested.keys(), 0U);
    EXPECT_EQ(tested.times(), 0U);
    EXPECT_EQ(tested.attempts(), 0U);
    EXPECT_EQ(tested.refused_for_space(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, QuotasModel, testing::Range(0U, 100U));

// Knows how much is allocated, and was at most.
class CountedMemory : public std::pmr::memory_resource {
public:
    std::size_t bytes() const { return bytes_; }
    std::size_t most_bytes() const { return most_bytes_; }

private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        bytes_ += bytes;
        most_bytes_ = std::max(most_bytes_, bytes_);
        return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
        bytes_ -= bytes;
        std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
    }
    bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }

    std::size_t bytes_ = 0;
    std::size_t most_bytes_ = 0;
};

class QuotasLimits : public testing::Test {
protected:
    static std::optional<Address> numbered(std::size_t number) {
        return Address::from(Address::V4{10, static_cast<std::uint8_t>(number >> 16U),
                                         static_cast<std::uint8_t>(number >> 8U),
                                         static_cast<std::uint8_t>(number)});
    }
    bool holds(std::size_t client, TimePoint now = start) {
        auto const address = numbered(client);
        return quotas_.holds(rule_, quota_, {.address = address, .host = host_}, now);
    }
    std::optional<Reservation> reserve(std::size_t client, TimePoint now = start) {
        auto const address = numbered(client);
        return quotas_.reserve(rule_, quota_, {.address = address, .host = host_}, now);
    }
    bool spend(std::size_t client, TimePoint now = start) {
        auto reservation = reserve(client, now);
        return reservation && quotas_.commit(std::move(*reservation), now);
    }

    CountedMemory memory_;
    Quotas quotas_{&memory_};
    std::string rule_ = "guests";
    std::string host_;
    Quota quota_{.count = 2'000'000, .per = 1h, .by = QuotaBy::address};
};

TEST_F(QuotasLimits, FilledToAllOfThemItTakesAtMost100MiB) {
    // Keys almost as long as their limit allows, and more times than keys.
    rule_ = std::string(Quotas::most_key_bytes / Quotas::most_keys - 7, 'r');
    for (std::size_t i = 0; i < Quotas::most_keys; ++i) ASSERT_TRUE(spend(i)) << i;
    EXPECT_EQ(quotas_.keys(), Quotas::most_keys);

    // Who is new is refused; who is known goes on.
    EXPECT_FALSE(holds(Quotas::most_keys));
    EXPECT_EQ(quotas_.refused_for_space(), 1U);
    EXPECT_FALSE(reserve(Quotas::most_keys));
    EXPECT_EQ(quotas_.refused_for_space(), 2U);
    EXPECT_TRUE(holds(7));

    std::vector<Reservation> open;
    for (std::size_t i = 0; i < Quotas::most_attempts; ++i) {
        auto reservation = reserve(i);
        ASSERT_TRUE(reservation);
        open.push_back(std::move(*reservation));
    }
    EXPECT_FALSE(reserve(7));
    EXPECT_EQ(quotas_.refused_for_space(), 3U);
    for (auto& reservation : open) ASSERT_TRUE(quotas_.commit(std::move(reservation), start));
    while (quotas_.times() < Quotas::most_times)
        ASSERT_TRUE(spend(quotas_.times() % Quotas::most_keys));
    EXPECT_FALSE(holds(7));
    EXPECT_FALSE(reserve(7));
    EXPECT_EQ(quotas_.refused_for_space(), 5U);

    constexpr std::size_t mib = 1024 * 1024;
    EXPECT_LE(memory_.most_bytes(), 100 * mib);
    EXPECT_GE(memory_.most_bytes(), 40 * mib);

    // An hour later it is all given back, a little by each call.
    auto const later = start + 1h;
    for (auto calls = Quotas::most_keys / 8; quotas_.keys() > 0 && calls > 0; --calls) {
        auto const before = quotas_.keys();
        EXPECT_TRUE(holds(Quotas::most_keys, later));
        ASSERT_LE(before - quotas_.keys(), 300U);
    }
    EXPECT_EQ(quotas_.keys(), 0U);
    EXPECT_EQ(quotas_.times(), 0U);
    EXPECT_EQ(memory_.bytes(), 0U);
}

TEST_F(QuotasLimits, AtMostSoManyTimes) {
    quota_.by = QuotaBy::all;
    for (std::size_t i = 0; i < Quotas::most_times - 1; ++i) ASSERT_TRUE(spend(0));
    auto last = reserve(0);
    ASSERT_TRUE(last);
    // Its success must find room, so it counts already.
    EXPECT_FALSE(reserve(0));
    quotas_.cancel(std::move(*last));
    EXPECT_TRUE(spend(0, start + 30min));
    EXPECT_EQ(quotas_.times(), Quotas::most_times);
    EXPECT_FALSE(holds(0, start + 30min));
    EXPECT_EQ(quotas_.refused_for_space(), 2U);
    // One remains, and does not keep the room of all.
    EXPECT_TRUE(spend(0, start + 1h));
    EXPECT_EQ(quotas_.times(), 2U);
    EXPECT_LT(memory_.bytes(), 1024U);
}

TEST_F(QuotasLimits, NamesOfHostsTakeAtMostSoMuch) {
    quota_.by = QuotaBy::host;
    std::size_t accepted = 0;
    for (;; ++accepted) {
        host_ = std::string(100'000, 'x') + std::to_string(accepted);
        if (!spend(0)) break;
        ASSERT_LT(accepted, 1000U);
    }
    EXPECT_EQ(accepted, Quotas::most_key_bytes / 100'010);
    EXPECT_EQ(quotas_.refused_for_space(), 1U);
    EXPECT_LE(memory_.most_bytes(), Quotas::most_key_bytes + 100'000);
    host_ = "short.example";
    EXPECT_TRUE(spend(0));
}

// Keys that have run out make room for new ones, though no call looks at all of them.
TEST_F(QuotasLimits, NewKeysFindRoomAsOldOnesRunOut) {
    quota_ = {.count = 1, .per = 100s, .by = QuotaBy::address};
    constexpr std::size_t a_second = 100;
    std::size_t most = 0;
    for (std::size_t i = 0; i < 100'000; ++i) {
        ASSERT_TRUE(spend(i, start + std::chrono::seconds(i / a_second)));
        most = std::max(most, quotas_.keys());
    }
    EXPECT_LE(most, 100 * a_second * 5 / 4);
}

TEST_F(QuotasLimits, RoomIsFoundWhereFewHaveRunOut) {
    for (std::size_t i = 0; i < Quotas::most_keys; i += 100) ASSERT_TRUE(spend(i));
    for (std::size_t i = 0; i < Quotas::most_keys; ++i)
        ASSERT_TRUE(i % 100 == 0 || spend(i, start + 30min));
    ASSERT_EQ(quotas_.keys(), Quotas::most_keys);
    for (std::size_t i = 0; i < 1000; ++i)
        ASSERT_TRUE(spend(Quotas::most_keys + i, start + 1h)) << i;
    EXPECT_EQ(quotas_.refused_for_space(), 0U);
}

}  // namespace
}  // namespace stanzagate::filters
