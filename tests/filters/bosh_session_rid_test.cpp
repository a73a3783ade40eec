#include <gtest/gtest.h>

#include <string>

#include "tests/filters/bosh_client.hpp"

// Request ids, broken connections and acknowledgements: XEP-0124 sections 9 and 14.
namespace stanzagate::filters {
namespace {

using namespace std::chrono_literals;

constexpr const char* item_not_found = "type='terminate' condition='item-not-found'";

class XEP0124_Rids : public testing::Test {
protected:
    void TearDown() override { EXPECT_EQ(client.broken_promise, ""); }
    BoshClient client;
};

TEST_F(XEP0124_Rids, Section14_2_OrderIsThatOfTheRids) {
    client.open();
    auto const second = client.send_rid(2, "", "<b/>");
    EXPECT_EQ(client.take_upstream(), "");
    EXPECT_EQ(client.answer(second), std::nullopt);
    auto const first = client.send_rid(1, "", "<a/>");
    EXPECT_EQ(client.take_upstream(), "<a/><b/>");
    EXPECT_EQ(client.answer(first), body_of("ack='1002'"));
    EXPECT_EQ(client.answer(second), std::nullopt);
}

TEST_F(XEP0124_Rids, Section14_2_APayloadWaitsForTheFirstInOrder) {
    client.open();
    auto const second = client.send_rid(2);
    client.server("<a xmlns='x'/>");
    EXPECT_EQ(client.answer(second), std::nullopt);
    client.pass(3s);
    auto const first = client.send_rid(1);
    EXPECT_EQ(client.answer(first), body_of("ack='1002'", "<a xmlns='x'/>"));
    EXPECT_EQ(client.answer(second), std::nullopt);
}

TEST_F(XEP0124_Rids, Section14_2_TheWindowIsAsLargeAsRequests) {
    client.open();  // requests='2'
    auto const edge = client.send_rid(2);
    EXPECT_EQ(client.answer(edge), std::nullopt);
    auto const beyond = client.send_rid(3, "", "<a/>");
    EXPECT_EQ(client.answer(beyond), body_of(item_not_found));
    EXPECT_EQ(client.answer(edge), body_of("type='terminate' condition='other-request'"));
    EXPECT_EQ(client.take_upstream(), "");
    EXPECT_EQ(client.ended, BoshEnd::violation);
}

TEST_F(XEP0124_Rids, Section14_2_APauseMayBeOneBeyond) {
    client.open();
    client.send_rid(3, "pause='10'");
    EXPECT_EQ(client.ended, std::nullopt);
    client.send_rid(4, "pause='10'");
    EXPECT_EQ(client.ended, BoshEnd::violation);
}

TEST_F(XEP0124_Rids, Section14_3_ALostResponseComesAgainByteForByte) {
    client.open();
    auto const first = client.send_rid(1);
    client.server("<a xmlns='x'/>");
    auto const second = client.send_rid(2);
    client.server("<b xmlns='x'/>");
    EXPECT_EQ(client.answer(client.send_rid(1)), client.answer(first));
    EXPECT_EQ(client.answer(client.send_rid(2)), client.answer(second));
    EXPECT_EQ(client.answer(client.send_rid(2)), body_of("", "<b xmlns='x'/>"));
    EXPECT_EQ(client.ended, std::nullopt);
    client.send_rid(3, "", "<c/>");
    EXPECT_EQ(client.take_upstream(), "<c/>");
}

TEST_F(XEP0124_Rids, Section14_3_ARepeatedRequestIsForwardedOnce) {
    client.open();
    client.send_rid(1, "", "<a/>");
    client.server("<x/>");
    client.send_rid(1, "", "<a/>");
    client.send_rid(2, "", "<b/>");
    client.send_rid(2, "", "<b/>");
    EXPECT_EQ(client.take_upstream(), "<a/><b/>");
}

TEST_F(XEP0124_Rids, Section14_3_TheSessionResponseComesAgainToo) {
    auto const first = client.create();
    client.server(std::string(bosh_server_header) + std::string(bosh_server_features));
    EXPECT_EQ(client.answer(client.send_rid(0)), client.answer(first));
}

TEST_F(XEP0124_Rids, Section14_3_AsManyAreKeptAsRequests) {
    client.open();  // requests='2', and one response is kept already
    for (unsigned rid = 1; rid <= 3; ++rid) {
        client.send_rid(rid);
        client.server("<a/>");
    }
    EXPECT_NE(client.answer(client.send_rid(2)), body_of(item_not_found));
    EXPECT_EQ(client.answer(client.send_rid(1)), body_of(item_not_found));
    EXPECT_EQ(client.ended, BoshEnd::violation);
}

TEST_F(XEP0124_Rids, Section14_3_PausesTakeNoRoomThere) {
    client.open();
    auto const first = client.send_rid(1);
    client.server("<a/>");
    for (unsigned rid = 2; rid <= 3; ++rid) client.send_rid(rid, "pause='10'");
    EXPECT_EQ(client.answer(client.send_rid(1)), client.answer(first));
}

TEST_F(XEP0124_Rids, Section14_3_ARepeatWhileItWaitsTakesItsPlace) {
    client.open();
    auto const broken = client.send_rid(1);
    auto const again = client.send_rid(1);
    EXPECT_EQ(client.answer(broken), body_of("type='error'"));
    EXPECT_EQ(client.answer(again), std::nullopt);
    client.server("<a xmlns='x'/>");
    EXPECT_EQ(client.answer(again), body_of("", "<a xmlns='x'/>"));
}

TEST_F(XEP0124_Rids, Section14_3_SoDoesOneThatIsEarly) {
    client.open();
    auto const broken = client.send_rid(2, "", "<a/>");
    client.send_rid(2, "", "<a/>");
    EXPECT_EQ(client.answer(broken), body_of("type='error'"));
    client.send_rid(1);
    EXPECT_EQ(client.take_upstream(), "<a/>");
}

TEST_F(XEP0124_Rids, Section14_3_NobodyIsToldWhereTheConnectionIsGone) {
    client.open();
    auto const lost = client.send_rid(1);
    client.lose(lost);
    auto const again = client.send_rid(1);
    client.server("<a xmlns='x'/>");
    EXPECT_EQ(client.answer(lost), std::nullopt);
    EXPECT_EQ(client.answer(again), body_of("", "<a xmlns='x'/>"));
}

TEST_F(XEP0124_Rids, Section14_3_APayloadWaitsForAConnection) {
    client.open();
    client.lose(client.send_rid(1));
    client.server("<a xmlns='x'/>");
    auto const next = client.send_rid(2, "", "<b/>");
    EXPECT_EQ(client.answer(next), body_of("", "<a xmlns='x'/>"));
    EXPECT_EQ(client.answer(client.send_rid(1)), body_of("ack='1002'"));
}

TEST_F(XEP0124_Rids, Section14_3_RepeatsAreLimited) {
    client.open();
    client.send_rid(1);
    for (int i = 0; i < 10; ++i) client.send_rid(1);
    EXPECT_EQ(client.ended, std::nullopt);
    auto const last = client.send_rid(1);
    EXPECT_EQ(client.answer(last), body_of("type='terminate' condition='policy-violation'"));
}

TEST_F(XEP0124_Rids, Section14_3_SoIsHowOftenAResponseComesAgain) {
    client.open();
    auto const first = client.send_rid(1);
    for (int i = 0; i < 4; ++i) client.send_rid(1);
    client.server("<a xmlns='x'/>");
    for (int i = 0; i < 6; ++i)
        EXPECT_EQ(client.answer(client.send_rid(1)), body_of("", "<a xmlns='x'/>"));
    EXPECT_EQ(client.answer(first), body_of("type='error'"));
    EXPECT_EQ(client.ended, std::nullopt);
    auto const last = client.send_rid(1);
    EXPECT_EQ(client.answer(last), body_of("type='terminate' condition='policy-violation'"));
}

TEST_F(XEP0124_Rids, Section17_3_WhatCannotBeAnsweredInItsTurnIsToBeSentAgain) {
    client.open("wait='10' hold='1' ver='1.6'");
    auto const early = client.send_rid(2, "", "<b/>");
    client.pass(10s);
    EXPECT_EQ(client.answer(early), body_of("type='error'"));
    client.send_rid(1, "", "<a/>");
    client.send_rid(2, "", "<b/>");
    EXPECT_EQ(client.take_upstream(), "<a/><b/>");
}

TEST_F(XEP0124_Rids, Section9_1_TheHighestRidIsAcknowledged) {
    client.open("wait='60' hold='2' ver='1.6'");
    auto const first = client.send_rid(1);
    auto const second = client.send_rid(2, "", "<a/>");
    client.send_rid(4, "", "<c/>");
    client.server("<x xmlns='x'/>");
    EXPECT_EQ(client.answer(first), body_of("ack='1002'", "<x xmlns='x'/>"));
    client.server("<x xmlns='x'/>");
    EXPECT_EQ(client.answer(second), body_of("", "<x xmlns='x'/>"));
}

TEST_F(XEP0124_Rids, Section9_2_ALostResponseIsReported) {
    client.open("wait='60' hold='1' ver='1.6' ack='1'");
    client.send_rid(1);
    client.server("<a/>");
    client.pass(2500ms);
    auto const id = client.send_rid(2, "ack='1000'");
    EXPECT_EQ(client.answer(id), body_of("report='1001' time='2500'"));
}

TEST_F(XEP0124_Rids, Section9_2_OneThatIsOnItsWayIsNot) {
    client.open("wait='60' hold='1' ver='1.6' ack='1'");
    client.send_rid(1);
    client.server("<a/>");
    client.pass(1s);
    EXPECT_EQ(client.answer(client.send_rid(2, "ack='1000'", "<a/>")), std::nullopt);
    client.server("<a/>");
    client.pass(10s);
    EXPECT_EQ(client.answer(client.send_rid(3, "ack='1002'")), std::nullopt);
}

}  // namespace
}  // namespace stanzagate::filters
