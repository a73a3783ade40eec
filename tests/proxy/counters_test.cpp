#include "proxy/counters.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace stanzagate::proxy {
namespace {

using Kind = ConnectionKind;
using Stage = ConnectionStage;

Totals totals_of(const Counters& counters) {
    Totals totals;
    totals.add(counters);
    return totals;
}

TEST(Counters, AreAddedUp) {
    Counters one;
    Counters other;
    one.relayed_bytes[Direction::to_client].add(70'000);
    other.relayed_bytes[Direction::to_client].add(5);
    other.session_ends[SessionEnd::failed].add();
    one.registrations.add({"example.org", "office", "forward", "set"});
    one.registrations.add({"example.org", "office", "forward", "get"});
    other.registrations.add({"example.org", "office", "forward", "set"});
    other.upstream_failures.add({"*"});
    auto totals = totals_of(one);
    totals.add(other);
    EXPECT_EQ(totals.relayed_bytes[Direction::to_client], 70'005U);
    EXPECT_EQ(totals.relayed_bytes[Direction::to_upstream], 0U);
    EXPECT_EQ(totals.session_ends[SessionEnd::failed], 1U);
    LabelledTotals<4> const registrations{{{"example.org", "office", "forward", "get"}, 1},
                                          {{"example.org", "office", "forward", "set"}, 2}};
    EXPECT_EQ(totals.registrations, registrations);
    EXPECT_EQ(totals.upstream_failures, (LabelledTotals<1>{{{"*"}, 1}}));
    EXPECT_EQ(totals.registrations_by_action(),
              (std::map<std::string, std::uint64_t>{{"forward", 3}}));
}

// Every value of an enumeration has a place of its own, the last one too.
TEST(Counters, HavePlacesForEveryValue) {
    Counters counters;
    counters.stream_errors[filters::StreamErrorCondition::unsupported_version].add();
    counters.refused_connections[Admission::Refusal::connect_rate].add(2);
    counters.handshakes[HandshakeResult::drained].add(3);
    counters.connections[Kind::http][Stage::open].add(4);
    auto const totals = totals_of(counters);
    EXPECT_EQ(totals.stream_errors[filters::StreamErrorCondition::unsupported_version], 1U);
    EXPECT_EQ(totals.refused_connections[Admission::Refusal::connect_rate], 2U);
    EXPECT_EQ(totals.handshakes[HandshakeResult::drained], 3U);
    EXPECT_EQ(totals.connections[Kind::http][Stage::open], 4U);
}

TEST(Counters, AreReadWhileTheyAreWritten) {
    Counters counters;
    std::thread writer([&] {
        for (int i = 0; i < 20'000; ++i) {
            counters.relayed_bytes[Direction::to_client].add();
            counters.registrations.add({"h", i % 2 == 0 ? "a" : "b", "forward", "get"});
        }
    });
    std::uint64_t before = 0;
    while (before < 20'000) {
        auto const now = totals_of(counters).relayed_bytes[Direction::to_client];
        ASSERT_GE(now, before);
        before = now;
    }
    writer.join();
    auto const totals = totals_of(counters);
    EXPECT_EQ(totals.registrations.at({"h", "a", "forward", "get"}), 10'000U);
    EXPECT_EQ(totals.registrations.at({"h", "b", "forward", "get"}), 10'000U);
}

class PlaceTest : public ::testing::Test {
protected:
    // kind -> how many were counted, and how many are there in each stage.
    std::uint64_t total(Kind kind) const { return totals_of(counters_).connections_total[kind]; }
    std::uint64_t open(Kind kind, Stage stage) const {
        return totals_of(counters_).connections[kind][stage];
    }
    std::uint64_t open_in_all() const {
        std::uint64_t sum = 0;
        totals_of(counters_).connections.each([&](Kind, auto const& stages) {
            stages.each([&](Stage, std::uint64_t count) { sum += count; });
        });
        return sum;
    }

    Counters counters_;
};

TEST_F(PlaceTest, GoesFromStageToStage) {
    {
        ConnectionPlace place;
        place.enter(counters_, Kind::direct, Stage::handshake);
        EXPECT_EQ(open(Kind::direct, Stage::handshake), 1U);
        EXPECT_EQ(total(Kind::direct), 0U) << "it is not certain yet what it is";
        place.is_certain();
        place.is_certain();
        EXPECT_EQ(total(Kind::direct), 1U);
        place.reach(Stage::negotiating);
        EXPECT_EQ(open(Kind::direct, Stage::handshake), 0U);
        EXPECT_EQ(open(Kind::direct, Stage::negotiating), 1U);
        place.reach(Stage::relaying);
        EXPECT_EQ(open(Kind::direct, Stage::relaying), 1U);
        EXPECT_EQ(open_in_all(), 1U);
    }
    EXPECT_EQ(open_in_all(), 0U);
    EXPECT_EQ(total(Kind::direct), 1U);
}

TEST_F(PlaceTest, CountsAtTheEndWhoNeverSaidWhatItIs) {
    ConnectionPlace place;
    place.enter(counters_, Kind::direct, Stage::handshake);
    place.leave();
    place.leave();
    EXPECT_EQ(open_in_all(), 0U);
    EXPECT_EQ(total(Kind::direct), 1U);
}

TEST_F(PlaceTest, DoesNotCountWhoWasNotLetIn) {
    ConnectionPlace place;
    place.enter(counters_, Kind::direct, Stage::handshake);
    place.withdraw();
    EXPECT_EQ(open_in_all(), 0U);
    EXPECT_EQ(total(Kind::direct), 0U);
}

TEST_F(PlaceTest, NobodyIsThereBeforeEntering) {
    ConnectionPlace place;
    place.reach(Stage::relaying);
    place.is_certain();
    place.leave();
    EXPECT_EQ(open_in_all(), 0U);
}

TEST(ConnectionStages, AreThoseThatHappen) {
    EXPECT_TRUE(can_be(Kind::starttls, Stage::handshake));
    EXPECT_TRUE(can_be(Kind::bosh, Stage::relaying));
    EXPECT_FALSE(can_be(Kind::websocket, Stage::handshake));
    EXPECT_FALSE(can_be(Kind::direct, Stage::open));
    EXPECT_TRUE(can_be(Kind::http, Stage::open));
    EXPECT_FALSE(can_be(Kind::http, Stage::negotiating));
}

}  // namespace
}  // namespace stanzagate::proxy
