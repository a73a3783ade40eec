// What makes a client invited, and what uses an invitation up.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/filters/rules_session.hpp"

namespace stanzagate::filters {
namespace {

using namespace rules;

const std::string invited = rule("action = 'forward'\ninvited = true");

TEST(GateInvitation, LetsOneThrough) {
    Rules const rules(invited);
    in_every_split(rules.policy,
                   iq("set", "0") + token("t") + iq("set", "1") + iq("set", "2") + "<b/>", open,
                   [](Session& session) {
                       EXPECT_EQ(session.reached(), token("t"));
                       session.upstream(answered("result", "t"));
                       EXPECT_EQ(session.reached(), iq("set", "1"));
                       session.upstream(answered("result", "1"));
                       EXPECT_EQ(session.reached(), "<b/>");
                       EXPECT_EQ(session.rule_of(0), "default");
                       EXPECT_EQ(session.rule_of(1), "it");
                       EXPECT_EQ(session.rule_of(2), "default");
                   });
}

TEST(GateInvitation, AnErrorKeepsIt) {
    Rules const rules(invited);
    in_every_split(rules.policy, token("t") + iq("set", "1") + iq("set", "2") + "<b/>", open,
                   [](Session& session) {
                       EXPECT_EQ(session.reached(), token("t"));
                       session.upstream(answered("result", "t"));
                       EXPECT_EQ(session.reached(), iq("set", "1"));
                       session.upstream(answered("error", "1"));
                       EXPECT_EQ(session.reached(), iq("set", "2"));
                       session.upstream(answered("result", "2"));
                       EXPECT_EQ(session.reached(), "<b/>");
                   });
}

TEST(GateInvitation, AGetDoesNotUseIt) {
    Rules const rules(invited);
    Session session(rules.policy);
    session.open();
    session.client(token("t"));
    session.upstream(answered("result", "t"));
    session.client(iq("get", "1"));
    session.upstream(answered("result", "1"));
    EXPECT_EQ(next_is_decided_by(session), "it");
    EXPECT_EQ(session.reached(), token("t") + iq("get", "1") + iq("set", "next"));
}

// A server judges a token when it is shown, and may let all register who have shown it by then.
TEST(GateInvitation, OfManyWhoHaveShownOneTokenOneRegisters) {
    Rules const rules(invited);
    Session first(rules.policy);
    Session second(rules.policy);
    second.driver.world.shared_invitations = &first.driver.world.invitations;
    for (auto* const session : {&first, &second}) {
        session->open();
        session->client(token("t"));
        session->upstream(answered("result", "t"));
        EXPECT_EQ(session->reached(), token("t"));
    }
    first.client(iq("set", "1"));
    EXPECT_EQ(first.reached(), iq("set", "1"));
    second.client(iq("set", "1"));
    EXPECT_EQ(second.rule_of(0), "default");
    first.upstream(answered("result", "1"));
    second.client(iq("set", "2") + iq("get", "3"));
    EXPECT_EQ(second.reached(), "");
}

// However it is written.
TEST(GateInvitation, ATokenIsWhatAParserReads) {
    Rules const rules(invited);
    Session session(rules.policy);
    session.open();
    session.client(
        "<iq type='set' id='t'><p:preauth xmlns:p='urn:xmpp:pars:0' a='b' "
        "token=\n\"&#84;\"/></iq>");
    session.upstream(answered("result", "t"));
    auto& invitations = session.driver.world.invitations;
    auto other = *invitations.show("example.org", "T");
    EXPECT_EQ(invitations.known(), 1U);
    EXPECT_TRUE(invitations.begin(other));
    EXPECT_EQ(next_is_decided_by(session), "default");
    invitations.give_back(std::move(other));
}

TEST(GateInvitation, OnlyTheResultOfTheTokenInvites) {
    Rules const rules(invited);
    for (auto const& answer :
         {answered("error", "t"), answered("result", "p") + answered("error", "t"),
          answered("result", "x") + answered("error", "t"),
          "<iq type='result'/>" + answered("error", "t") + answered("result", "t")}) {
        Session session(rules.policy);
        session.open();
        session.client("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>" + token("t"));
        session.upstream(answer);
        static_cast<void>(session.reached());
        EXPECT_EQ(next_is_decided_by(session), "default") << answer;
        EXPECT_EQ(session.reached(), "") << answer;
    }
}

// A server with several domains accepts a token for the one that it was sent to.
TEST(GateInvitation, HoldsForTheDomainThatAcceptedIt) {
    Rules const rules(invited);
    auto const other =
        "<iq type='set' id='t' to='second.example'>"
        "<preauth xmlns='urn:xmpp:pars:0' token='T'/></iq>";
    for (auto const& [to, decided_by] :
         {std::pair{"", "default"}, std::pair{" to='second.example'", "default"}}) {
        Session session(rules.policy);
        session.open();
        session.client(other);
        session.upstream(answered("result", "t"));
        EXPECT_EQ(session.reached(), other);
        session.client(iq("set", "1", to));
        EXPECT_EQ(session.reached(), "") << to;
        EXPECT_EQ(session.rule_of(0), decided_by) << to;
    }
}

TEST(GateInvitation, TheFourthTokenEndsTheStream) {
    Rules const rules(invited);
    Session session(rules.policy);
    session.open();
    for (auto const* const id : {"1", "2", "3"}) {
        session.client(token(id));
        EXPECT_EQ(session.reached(), token(id));
        session.upstream(answered("error", id));
    }
    session.client(token("4") + iq("set", "5"));
    EXPECT_EQ(session.reached(), "");
    EXPECT_TRUE(session.driver.closed());
    EXPECT_EQ(session.driver.stream_error, StreamErrorCondition::policy_violation);
}

TEST(GateInvitation, TokensInAGetCountTooAndDoNotPass) {
    Rules const rules(invited);
    Session session(rules.policy);
    session.open();
    auto const get = "<iq type='get' id='1'><preauth xmlns='urn:xmpp:pars:0' token='T'/></iq>";
    for (int i = 0; i < 3; ++i) {
        session.client(get);
        EXPECT_TRUE(has(session.got(), "<bad-request "));
    }
    EXPECT_FALSE(session.driver.closed());
    session.client(get);
    EXPECT_TRUE(session.driver.closed());
    EXPECT_EQ(session.reached(), "");
}

}  // namespace
}  // namespace stanzagate::filters
