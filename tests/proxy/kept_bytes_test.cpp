#include "proxy/kept_bytes.hpp"

#include <gtest/gtest.h>

namespace stanzagate::proxy {
namespace {

static_assert(sizeof(KeptBytes) == sizeof(void*));

TEST(KeptBytesTest, ComeInOrder) {
    KeptBytes kept;
    EXPECT_TRUE(kept.empty());
    EXPECT_EQ(kept.view(), "");
    kept.append("cd");
    kept.append("ef");
    kept.prepend("ab");
    EXPECT_EQ(kept.view(), "abcdef");
    kept.drop(2);
    EXPECT_EQ(kept.view(), "cdef");
    EXPECT_EQ(kept.size(), 4U);
}

TEST(KeptBytesTest, NothingIsEmpty) {
    KeptBytes kept;
    kept.append("");
    kept.prepend("");
    EXPECT_TRUE(kept.empty());
    kept.prepend("ab");
    kept.drop(0);
    EXPECT_EQ(kept.view(), "ab");
    kept.drop(2);
    EXPECT_TRUE(kept.empty());
    kept.drop(1);
    EXPECT_TRUE(kept.empty());
    kept.append("ab");
    kept.clear();
    EXPECT_TRUE(kept.empty());
}

}  // namespace
}  // namespace stanzagate::proxy
