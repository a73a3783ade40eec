#include "proxy/listing_cache.hpp"

#include <gtest/gtest.h>

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;

const ListingCache::Clock::time_point start{1000h};

TEST(ListingCacheTest, KnowsUntilTheTimeIsUp) {
    ListingCache cache(10);
    EXPECT_EQ(cache.find("a", start), std::nullopt);
    cache.put("a", true, start + 10s);
    cache.put("b", false, start + 20s);
    EXPECT_EQ(cache.find("a", start + 9s), true);
    EXPECT_EQ(cache.find("b", start + 10s), false);
    EXPECT_EQ(cache.find("a", start + 10s), std::nullopt);
    EXPECT_EQ(cache.size(), 1U);
    EXPECT_EQ(cache.find("b", start + 20s), std::nullopt);
    EXPECT_EQ(cache.size(), 0U);
}

TEST(ListingCacheTest, TheNewerReplacesTheOlder) {
    ListingCache cache(10);
    cache.put("a", true, start + 10s);
    cache.put("a", false, start + 20s);
    EXPECT_EQ(cache.find("a", start + 15s), false);
    EXPECT_EQ(cache.size(), 1U);
}

TEST(ListingCacheTest, WhatWasNotUsedForLongestMakesRoom) {
    ListingCache cache(3);
    for (auto const* const name : {"a", "b", "c"}) cache.put(name, true, start + 10s);
    cache.find("a", start);
    cache.put("b", true, start + 1s);  // used last, though it ends first
    cache.put("d", true, start + 10s);
    EXPECT_EQ(cache.size(), 3U);
    EXPECT_EQ(cache.find("c", start), std::nullopt);
    for (auto const* const name : {"a", "b", "d"}) EXPECT_EQ(cache.find(name, start), true);
}

}  // namespace
}  // namespace stanzagate::proxy
