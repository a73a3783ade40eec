#include "proxy/waiting_requests.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stanzagate::proxy {
namespace {

HttpResponse response_of(std::size_t size) {
    return {200, {}, std::string(size, static_cast<char>('a' + size % 26))};
}

std::vector<std::string> pieces_of(WaitingRequests& waiting) {
    std::vector<std::string> pieces;
    while (waiting.is_ready()) pieces.push_back(waiting.take_piece(std::nullopt));
    return pieces;
}

TEST(WaitingRequestsTest, ShortResponsesGoOutTogetherAndLongOnesInPieces) {
    WaitingRequests waiting;
    std::string expected;
    std::uint64_t number = 0;
    for (std::size_t const size : {0U, 10U, 65'535U, 65'536U, 0U, 300'000U, 5U}) {
        waiting.add(++number, false).response = response_of(size);
        expected += write_http_response(response_of(size), true);
    }
    std::string joined;
    auto const pieces = pieces_of(waiting);
    for (auto const& piece : pieces) {
        EXPECT_FALSE(piece.empty());
        EXPECT_LT(piece.size(), 66'000U);
        joined += piece;
    }
    EXPECT_TRUE(joined == expected);
    EXPECT_EQ(pieces.size(), 7U);
    EXPECT_TRUE(waiting.empty());
}

TEST(WaitingRequestsTest, EachWaitsForTheOneBefore) {
    WaitingRequests waiting;
    waiting.add(1, false);
    waiting.add(2, false).response = response_of(10);
    EXPECT_FALSE(waiting.is_ready());
    EXPECT_EQ(waiting.find(3), nullptr);
    waiting.find(1)->response = response_of(5);
    EXPECT_EQ(waiting.take_piece(2), write_http_response(response_of(5), true) +
                                         write_http_response(response_of(10), false));
}

// A response that has begun goes on.
TEST(WaitingRequestsTest, WhatIsReadyIsNotGivenUp) {
    WaitingRequests waiting;
    waiting.add(1, false).response = response_of(100'000);
    waiting.add(2, false).sid = "a";
    waiting.add(3, false).response = response_of(1);
    auto const first = waiting.take_piece(std::nullopt);
    auto const given_up = waiting.give_up();
    ASSERT_EQ(given_up.size(), 2U);
    EXPECT_EQ(given_up[0].sid, "a");
    EXPECT_TRUE(first + waiting.take_piece(std::nullopt) ==
                write_http_response(response_of(100'000), true));
    EXPECT_TRUE(waiting.empty());
}

}  // namespace
}  // namespace stanzagate::proxy
