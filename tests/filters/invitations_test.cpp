#include "filters/invitations.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace stanzagate::filters {
namespace {

constexpr const char* domain = "example.org";

class InvitationsTest : public testing::Test {
protected:
    Invitation shown(std::string_view token = "T", std::string_view at = domain) {
        return *invitations_.show(at, token);
    }

    Invitations invitations_;
};

TEST_F(InvitationsTest, OneIsUsedOnce) {
    auto one = shown();
    EXPECT_EQ(one.domain(), domain);
    EXPECT_TRUE(invitations_.begin(one));
    invitations_.end(one, true);
    EXPECT_FALSE(invitations_.begin(one));
}

TEST_F(InvitationsTest, AnErrorLeavesIt) {
    auto one = shown();
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(invitations_.begin(one));
        invitations_.end(one, false);
    }
}

TEST_F(InvitationsTest, OfManyWhoHaveShownItOneUsesIt) {
    auto first = shown();
    auto second = shown();
    auto third = shown();
    EXPECT_TRUE(invitations_.begin(second));
    EXPECT_FALSE(invitations_.begin(first));
    invitations_.end(second, false);
    EXPECT_TRUE(invitations_.begin(first));
    invitations_.end(first, true);
    EXPECT_FALSE(invitations_.begin(second));
    EXPECT_FALSE(invitations_.begin(third));
}

// The server judges that, and may have made it for many.
TEST_F(InvitationsTest, WhoShowsItAfterwardsIsInvitedAnew) {
    auto first = shown();
    EXPECT_TRUE(invitations_.begin(first));
    invitations_.end(first, true);
    auto later = shown();
    EXPECT_TRUE(invitations_.begin(later));
}

TEST_F(InvitationsTest, WhoShowsItInBetweenHasToWait) {
    auto first = shown();
    EXPECT_TRUE(invitations_.begin(first));
    auto between = shown();
    EXPECT_FALSE(invitations_.begin(between));
    invitations_.end(first, true);
    EXPECT_FALSE(invitations_.begin(between));
}

TEST_F(InvitationsTest, AStreamThatEndsWithoutAnAnswerHasUsedIt) {
    auto other = shown();
    auto one = shown();
    EXPECT_TRUE(invitations_.begin(one));
    invitations_.give_back(std::move(one));
    EXPECT_FALSE(invitations_.begin(other));
}

TEST_F(InvitationsTest, OthersHaveNothingToDoWithIt) {
    auto one = shown();
    auto elsewhere = shown("T", "other.example");
    auto another = shown("U");
    EXPECT_TRUE(invitations_.begin(one));
    EXPECT_TRUE(invitations_.begin(elsewhere));
    EXPECT_TRUE(invitations_.begin(another));
    EXPECT_EQ(invitations_.known(), 3U);
}

TEST_F(InvitationsTest, IsForgottenWithItsLastStream) {
    std::vector<Invitation> all;
    for (int i = 0; i < 5; ++i) all.push_back(shown());
    EXPECT_EQ(invitations_.known(), 1U);
    for (auto& one : all) invitations_.give_back(std::move(one));
    EXPECT_EQ(invitations_.known(), 0U);
}

TEST_F(InvitationsTest, TokensThatAreNone) {
    EXPECT_FALSE(invitations_.show(domain, ""));
    EXPECT_TRUE(invitations_.show(domain, std::string(255, 't')));
    EXPECT_FALSE(invitations_.show(domain, std::string(256, 't')));
}

}  // namespace
}  // namespace stanzagate::filters
