#include <gtest/gtest.h>

#include <string>

#include "tests/filters/bosh_client.hpp"

// How often a client may ask, and for how long it may be silent: XEP-0124 sections 10 to 12.
namespace stanzagate::filters {
namespace {

using namespace std::chrono_literals;

bool has(const std::optional<std::string>& answer, std::string_view part) {
    return answer && answer->find(part) != std::string::npos;
}

class XEP0124_Pace : public testing::Test {
protected:
    void TearDown() override { EXPECT_EQ(client.broken_promise, ""); }
    BoshClient client;
};

TEST_F(XEP0124_Pace, Section10_SilenceEndsTheSessionWithoutAWord) {
    client.open();
    client.pass(59999ms);
    EXPECT_EQ(client.ended, std::nullopt);
    client.pass(1ms);
    EXPECT_EQ(client.ended, BoshEnd::inactive);
    auto const id = client.send_rid(1);
    EXPECT_EQ(client.answer(id), body_of("type='terminate' condition='item-not-found'"));
}

TEST_F(XEP0124_Pace, Section10_NothingIsSilentWhileARequestIsHeld) {
    BoshSettings settings;
    settings.wait = 300s;
    BoshClient patient(settings);
    patient.open("wait='300' hold='1' ver='1.6'");
    auto const id = patient.send_rid(1);
    patient.pass(299s);
    EXPECT_EQ(patient.ended, std::nullopt);
    patient.pass(1s);
    EXPECT_EQ(patient.answer(id), empty_body);
    patient.pass(60s);
    EXPECT_EQ(patient.ended, BoshEnd::inactive);
}

TEST_F(XEP0124_Pace, Section10_ARequestOnALostConnectionIsSilence) {
    client.open();
    auto const id = client.send_rid(1);
    client.lose(id);
    client.pass(60s);
    EXPECT_EQ(client.ended, BoshEnd::inactive);
}

TEST_F(XEP0124_Pace, Section10_APauseAnswersEverythingAndAllowsSilence) {
    client.open();
    auto const held = client.send_rid(1);
    auto const pause = client.send_rid(2, "pause='120'");
    EXPECT_EQ(client.answer(held), body_of("ack='1002'"));
    EXPECT_EQ(client.answer(pause), empty_body);
    client.server("<message/>");
    client.pass(119s);
    EXPECT_EQ(client.ended, std::nullopt);
    auto const back = client.send_rid(3);
    EXPECT_EQ(client.answer(back), body_of("", "<message xmlns='jabber:client'/>"));
    // And from here on the usual patience.
    client.pass(60s);
    EXPECT_EQ(client.ended, BoshEnd::inactive);
}

TEST_F(XEP0124_Pace, Section10_TheResponseToAPauseHasNoPayload) {
    client.open();
    client.server("<message/>");
    auto const pause = client.send_rid(1, "pause='100'");
    EXPECT_EQ(client.answer(pause), empty_body);
    EXPECT_EQ(client.answer(client.send_rid(2)), body_of("", "<message xmlns='jabber:client'/>"));
}

TEST_F(XEP0124_Pace, Section10_APauseMayBeShorterToo) {
    client.open();
    client.send_rid(1, "pause='5'");
    client.pass(5s);
    EXPECT_EQ(client.ended, BoshEnd::inactive);
}

TEST_F(XEP0124_Pace, Section10_APauseLongerThanMaxpauseIsRefused) {
    client.open();
    auto const id = client.send_rid(1, "pause='121'");
    EXPECT_EQ(client.answer(id), body_of("type='terminate' condition='policy-violation'"));
    EXPECT_EQ(client.ended, BoshEnd::violation);
}

TEST_F(XEP0124_Pace, Section10_WithoutMaxpauseThereIsNoPause) {
    BoshSettings settings;
    settings.pause = 0s;
    BoshClient strict(settings);
    auto const first = strict.create();
    strict.server(std::string(bosh_server_header) + std::string(bosh_server_features));
    EXPECT_FALSE(has(strict.answer(first), "maxpause"));
    strict.send_rid(1, "pause='1'");
    EXPECT_EQ(strict.ended, BoshEnd::violation);
}

// Two wait, and a third and a fourth cannot be answered in their turn.
TEST_F(XEP0124_Pace, Section11_TooManyRequestsAtOnce) {
    client.open("wait='60' hold='2' ver='1.6'");
    auto const first = client.send_rid(1);
    client.pass(3s);
    auto const second = client.send_rid(2);
    client.pass(3s);
    auto const early = client.send_rid(4);
    EXPECT_EQ(client.ended, std::nullopt);
    auto const last = client.send_rid(5);
    EXPECT_EQ(client.answer(last), body_of("type='terminate' condition='policy-violation'"));
    for (auto const id : {first, second, early})
        EXPECT_EQ(client.answer(id), body_of("type='terminate' condition='other-request'"));
    EXPECT_EQ(client.ended, BoshEnd::violation);
}

TEST_F(XEP0124_Pace, Section11_OneMoreIsAllowedToPauseOrTerminate) {
    client.open("wait='60' hold='2' ver='1.6'");
    client.send_rid(1);
    client.pass(3s);
    client.send_rid(2);
    auto const last = client.send_rid(4, "type='terminate'");
    EXPECT_EQ(client.ended, std::nullopt);
    client.send_rid(3, "", "<a/>");
    EXPECT_EQ(client.take_upstream(), "<a/></stream:stream>");
    EXPECT_EQ(client.ended, BoshEnd::client_closed);
    EXPECT_EQ(client.answer(last), empty_body);
}

TEST_F(XEP0124_Pace, Section11_AndNoMoreThanOne) {
    client.open("wait='60' hold='2' ver='1.6'");
    client.send_rid(1);
    client.pass(3s);
    client.send_rid(2);
    client.send_rid(4, "pause='60'");
    client.send_rid(5, "pause='60'");
    EXPECT_EQ(client.ended, std::nullopt);
    auto const last = client.send_rid(6, "pause='60'");
    EXPECT_EQ(client.answer(last), body_of("type='terminate' condition='policy-violation'"));
    EXPECT_EQ(client.ended, BoshEnd::violation);
}

TEST_F(XEP0124_Pace, Section11_EmptyRequestsFasterThanPolling) {
    client.open();
    auto const first = client.send_rid(1);
    client.pass(1999ms);
    auto const second = client.send_rid(2);
    EXPECT_EQ(client.answer(second), body_of("type='terminate' condition='policy-violation'"));
    EXPECT_EQ(client.answer(first), body_of("type='terminate' condition='other-request'"));
}

TEST_F(XEP0124_Pace, Section11_EmptyRequestsAsSlowAsPolling) {
    client.open();
    client.send_rid(1);
    client.pass(2s);
    client.send_rid(2);
    EXPECT_EQ(client.ended, std::nullopt);
}

TEST_F(XEP0124_Pace, Section11_RequestsWithPayloadsAsFastAsTheyLike) {
    client.open();
    for (unsigned rid = 1; rid < 50; ++rid) client.send_rid(rid, "", "<a/>");
    EXPECT_EQ(client.ended, std::nullopt);
}

TEST_F(XEP0124_Pace, Section11_WithoutPollingAnythingGoes) {
    BoshSettings settings;
    settings.polling = 0s;
    BoshClient relaxed(settings);
    auto const id = relaxed.create();
    relaxed.server(std::string(bosh_server_header) + std::string(bosh_server_features));
    EXPECT_FALSE(has(relaxed.answer(id), "polling"));
    for (unsigned rid = 1; rid < 50; ++rid) relaxed.send_rid(rid);
    EXPECT_EQ(relaxed.ended, std::nullopt);
}

TEST_F(XEP0124_Pace, Section12_PollingSessionsAreAnsweredAtOnce) {
    for (auto const* const polls :
         {"wait='60' hold='0' ver='1.6'", "wait='0' hold='1' ver='1.6'"}) {
        BoshClient poller;
        auto const first = poller.create(polls);
        EXPECT_TRUE(has(poller.answer(first), "sid='SomeSID'"));
        poller.server(std::string(bosh_server_header) + std::string(bosh_server_features));
        EXPECT_TRUE(has(poller.answer(poller.send_rid(1)), "<stream:features"));
        EXPECT_EQ(poller.answer(poller.send_rid(2)), empty_body);
        poller.pass(2s);
        EXPECT_EQ(poller.answer(poller.send_rid(3)), empty_body);
        poller.pass(1s);
        EXPECT_EQ(poller.answer(poller.send_rid(4)),
                  body_of("type='terminate' condition='policy-violation'"));
    }
}

}  // namespace
}  // namespace stanzagate::filters
