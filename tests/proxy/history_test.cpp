#include "proxy/history.hpp"

#include <gtest/gtest.h>

namespace stanzagate::proxy {
namespace {

Minute totals(std::uint64_t count, std::uint64_t open = 0) {
    return {.forwarded = count,
            .redirected = 2 * count,
            .refused = 3 * count,
            .connections = 4 * count,
            .stream_errors = 5 * count,
            .relayed_bytes = 1000 * count,
            .open = open};
}

TEST(History, TellsWhatCameInEachMinute) {
    History history;
    EXPECT_EQ(history.minutes(totals(3, 1)), (std::vector{totals(3, 1)}));
    history.minute_is_over(totals(5, 2));
    history.minute_is_over(totals(5, 7));
    EXPECT_EQ(history.minutes(totals(9, 4)),
              (std::vector{totals(5, 2), totals(0, 7), totals(4, 4)}));
}

TEST(History, ForgetsWhatIsOlderThanAnHour) {
    History history;
    for (std::uint64_t i = 1; i <= 200; ++i) history.minute_is_over(totals(i * i));
    auto const minutes = history.minutes(totals(200 * 200 + 1));
    ASSERT_EQ(minutes.size(), History::most_minutes);
    EXPECT_EQ(minutes.front(), totals(142 * 142 - 141 * 141));
    EXPECT_EQ(minutes[58], totals(200 * 200 - 199 * 199));
    EXPECT_EQ(minutes.back(), totals(1));
}

TEST(Minute, IsTakenFromTotals) {
    Totals totals;
    totals.registrations = {{{"a", "r", "forward", "get"}, 1},
                            {{"b", "r", "forward", "set"}, 2},
                            {{"a", "default", "redirect", "get"}, 4},
                            {{"a", "no", "refuse", "get"}, 8},
                            {{"a", "out", "close", "get"}, 16}};
    totals.connections_total[ConnectionKind::direct] = 3;
    totals.connections_total[ConnectionKind::bosh] = 4;
    totals.connections_total[ConnectionKind::http] = 100;
    totals.connections[ConnectionKind::direct][ConnectionStage::relaying] = 5;
    totals.connections[ConnectionKind::websocket][ConnectionStage::negotiating] = 6;
    totals.connections[ConnectionKind::http][ConnectionStage::open] = 100;
    totals.relayed_bytes[Direction::to_client] = 30;
    totals.relayed_bytes[Direction::to_upstream] = 40;
    totals.stream_errors[filters::StreamErrorCondition::bad_format] = 1;
    totals.stream_errors[filters::StreamErrorCondition::host_unknown] = 1;
    EXPECT_EQ(Minute::of(totals), (Minute{.forwarded = 3,
                                          .redirected = 4,
                                          .refused = 24,
                                          .connections = 7,
                                          .stream_errors = 2,
                                          .relayed_bytes = 70,
                                          .open = 11}));
}

}  // namespace
}  // namespace stanzagate::proxy
