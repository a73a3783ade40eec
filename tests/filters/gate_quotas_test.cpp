// What uses up a quota, and what does not.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/filters/rules_session.hpp"

namespace stanzagate::filters {
namespace {

using namespace rules;

TEST(GateQuota, AResultUsesIt) {
    Rules const rules(once());
    in_every_split(rules.policy, iq("set", "1") + iq("set", "2") + "<b/>", open,
                   [](Session& session) {
                       // Nothing is sent behind the first until it is answered.
                       EXPECT_EQ(session.reached(), iq("set", "1"));
                       EXPECT_FALSE(session.driver.gate().wants(Side::client));
                       session.upstream(answered("result", "1"));
                       auto const got = session.got();
                       EXPECT_TRUE(got.starts_with(answered("result", "1"))) << got;
                       EXPECT_TRUE(has(got, "<not-authorized ")) << got;
                       EXPECT_EQ(session.reached(), "<b/>");
                       EXPECT_EQ(session.rule_of(0), "it");
                       EXPECT_EQ(session.rule_of(1), "default");
                       EXPECT_EQ(session.driver.world.quotas.times(), 1U);
                   });
}

TEST(GateQuota, AnErrorDoesNot) {
    Rules const rules(once());
    in_every_split(rules.policy, iq("set", "1") + iq("set", "2") + "<b/>", open,
                   [](Session& session) {
                       EXPECT_EQ(session.reached(), iq("set", "1"));
                       session.upstream(answered("error", "1"));
                       EXPECT_EQ(session.reached(), iq("set", "2"));
                       session.upstream(answered("result", "2"));
                       EXPECT_EQ(session.reached(), "<b/>");
                       EXPECT_EQ(session.rule_of(1), "it");
                       EXPECT_EQ(session.driver.world.quotas.times(), 1U);
                   });
}

TEST(GateQuota, AGetNeverUsesIt) {
    Rules const rules(once());
    Session session(rules.policy);
    session.open();
    for (auto const* const id : {"1", "2", "3"}) {
        session.client(iq("get", id));
        EXPECT_EQ(session.reached(), iq("get", id));
        session.upstream(answered("result", id));
    }
    EXPECT_EQ(session.driver.world.quotas.attempts(), 0U);
    EXPECT_EQ(session.driver.world.quotas.times(), 0U);
    EXPECT_EQ(next_is_decided_by(session), "it");
}

TEST(GateQuota, AnotherAnswerDoesNotCount) {
    Rules const rules(once());
    Session session(rules.policy);
    session.open();
    session.client("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>" + iq("set", "1") +
                   "<b/>");
    static_cast<void>(session.reached());
    session.upstream(answered("result", "p") + answered("result", "?") + "<iq type='result'/>" +
                     "<iq type='get' id='1'><q xmlns='q'/></iq><message type='result' id='1'/>");
    EXPECT_EQ(session.reached(), "");
    EXPECT_EQ(session.driver.world.quotas.times(), 0U);
    EXPECT_EQ(session.driver.world.quotas.attempts(), 1U);
    session.upstream(answered("error", "1"));
    EXPECT_EQ(session.reached(), "<b/>");
    EXPECT_EQ(session.driver.world.quotas.times(), 0U);
    EXPECT_EQ(session.driver.world.quotas.attempts(), 0U);
}

TEST(GateQuota, NeedsAnIdOfItsOwn) {
    Rules const rules(once());
    for (auto const& [before, set] :
         {std::pair(std::string(),
                    std::string("<iq type='set'><q xmlns='jabber:iq:register'/></iq>")),
          std::pair(std::string(), iq("set", "")),
          std::pair(std::string("<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"),
                    iq("set", "1"))}) {
        in_every_split(rules.policy, before + set + "<b/>", open, [&](Session& session) {
            EXPECT_EQ(session.reached(), before + "<b/>");
            EXPECT_TRUE(has(session.got(), "<bad-request "));
            EXPECT_EQ(session.driver.world.quotas.attempts(), 0U);
        });
    }
}

// Whether the quota is used up, once a set was forwarded and then the session ended so.
template <class End>
bool is_used_after(End end) {
    Rules const rules(once());
    // The world has to outlive the session's gate.
    TestWorld world;
    auto gate =
        std::make_unique<Gate>(rules.policy, world, peer_at(stranger), Gate::Door::secure, "id-1");
    static_cast<void>(gate->receive(Side::client, header));
    static_cast<void>(gate->upstream_ready());
    static_cast<void>(gate->receive(Side::upstream, header + features));
    EXPECT_EQ(gate->receive(Side::client, iq("set", "1")).to_upstream, iq("set", "1"));
    EXPECT_EQ(world.quotas.attempts(), 1U);
    end(*gate);
    gate.reset();
    EXPECT_EQ(world.quotas.attempts(), 0U);
    return world.quotas.times() == 1;
}

TEST(GateQuota, WhoeverHangsUpBeforeTheAnswerHasUsedIt) {
    EXPECT_TRUE(is_used_after([](Gate& gate) { static_cast<void>(gate.eof(Side::client)); }));
    EXPECT_TRUE(is_used_after([](Gate&) {}));
    EXPECT_TRUE(is_used_after([](Gate& gate) { static_cast<void>(gate.timed_out()); }));
    EXPECT_TRUE(is_used_after([](Gate& gate) { static_cast<void>(gate.draining()); }));
    EXPECT_TRUE(is_used_after([](Gate& gate) {
        static_cast<void>(gate.eof(Side::client));
        static_cast<void>(gate.receive(Side::upstream, answered("error", "1")));
    }));
}

TEST(GateQuota, AnUpstreamThatDiesBeforeTheAnswerDoesNot) {
    EXPECT_FALSE(is_used_after([](Gate& gate) { static_cast<void>(gate.eof(Side::upstream)); }));
    EXPECT_FALSE(is_used_after([](Gate& gate) {
        static_cast<void>(gate.receive(Side::upstream, "</stream:stream>"));
        static_cast<void>(gate.eof(Side::upstream));
    }));
    EXPECT_FALSE(is_used_after([](Gate& gate) {
        static_cast<void>(gate.receive(Side::upstream, answered("error", "1")));
        static_cast<void>(gate.eof(Side::client));
    }));
}

TEST(GateQuota, TwoDomainsUseBoth) {
    Rules const rules(once("host"));
    Session session(rules.policy);
    session.open();
    auto const set = iq("set", "1", " to='second.example'");
    session.client(set);
    EXPECT_EQ(session.reached(), set);
    EXPECT_EQ(session.driver.world.quotas.attempts(), 2U);
    session.upstream(answered("result", "1"));
    EXPECT_EQ(session.driver.world.quotas.times(), 2U);
    EXPECT_EQ(next_is_decided_by(session), "default");
}

// One registration is one, though two domains are asked.
TEST(GateQuota, TwoDomainsUseOneTheyShareOnce) {
    for (auto const* const by : {"address", "network", "all"}) {
        Rules const rules(once(by));
        Session session(rules.policy);
        session.open();
        auto const set = iq("set", "1", " to='second.example'");
        session.client(set);
        EXPECT_EQ(session.reached(), set) << by;
        EXPECT_EQ(session.driver.world.quotas.attempts(), 1U) << by;
        session.upstream(answered("result", "1"));
        EXPECT_EQ(next_is_decided_by(session), "default") << by;
    }
}

// XEP-0389 takes several steps, and <success/> is the last.
const std::string flow = "<register xmlns='urn:xmpp:register:0'><flow id='0'/></register>";

std::string step(std::string_view name) {
    return "<" + std::string(name) + " xmlns='urn:xmpp:register:0'/>";
}

TEST(GateQuota, AFlowThatSucceedsUsesItUp) {
    Rules const rules(once());
    Session session(rules.policy);
    session.open();
    session.client(flow);
    session.upstream(step("challenge"));
    session.client(step("response"));
    EXPECT_EQ(session.reached(), flow + step("response"));
    auto const& quotas = session.driver.world.quotas;
    EXPECT_EQ(quotas.attempts(), 1U);
    EXPECT_EQ(quotas.times(), 0U);
    session.upstream(step("success"));
    EXPECT_EQ(quotas.times(), 1U);
    EXPECT_EQ(next_is_decided_by(session), "default");
}

TEST(GateQuota, AFlowThatTheServerEndsDoesNot) {
    Rules const rules(once());
    for (bool const cancelled : {true, false}) {
        Session session(rules.policy);
        session.open();
        session.client(flow);
        if (cancelled) {
            session.upstream(step("cancel"));
        } else {
            session.upstream("<stream:error/></stream:stream>");
            session.driver.eof(Side::upstream);
        }
        EXPECT_EQ(session.driver.world.quotas.attempts(), 0U);
        EXPECT_EQ(session.driver.world.quotas.times(), 0U);
    }
}

TEST(GateQuota, AFlowThatNobodyEndsDoes) {
    Rules const rules(once());
    Session session(rules.policy);
    session.open();
    session.client(flow + flow);
    EXPECT_EQ(session.reached(), flow);
    EXPECT_EQ(session.rule_of(1), "default");
}

TEST(GateQuota, AskingDoesNotEndAFlow) {
    Rules const rules(once());
    Session session(rules.policy);
    session.open();
    session.client(flow + iq("get", "1"));
    auto const& quotas = session.driver.world.quotas;
    EXPECT_EQ(quotas.attempts(), 1U);
    EXPECT_EQ(quotas.times(), 0U);
    session.upstream(step("cancel"));
    EXPECT_EQ(quotas.attempts(), 0U);
    EXPECT_EQ(quotas.times(), 0U);
}

TEST(GateQuota, AskingAboutFlowsDoesNot) {
    Rules const rules(once());
    Session session(rules.policy);
    session.open();
    std::string const get = "<iq type='get' id='1'><register xmlns='urn:xmpp:register:0'/></iq>";
    session.client(get);
    EXPECT_EQ(session.reached(), get);
    EXPECT_EQ(session.driver.world.quotas.attempts(), 0U);
}

// Between the decision and the reservation another session takes the last one.
class GateQuotaRace : public testing::Test {
protected:
    void race(const std::string& further) {
        rules_.emplace(once("all") + further);
        session_.emplace(rules_->policy);
        session_->open();
        auto& world = session_->driver.world;
        world.before_reserve = [this, &world] {
            if (taken_) return;
            auto const& rule = rules_->config.rules.at(0);
            auto const peer = peer_at(stranger);
            taken_ = world.quotas.reserve(rule.id, *rule.quota, {peer.address, "example.org"},
                                          world.tick);
        };
    }

    std::optional<Rules> rules_;
    std::optional<Session> session_;
    std::optional<Reservation> taken_;
};

TEST_F(GateQuotaRace, ThenTheNextRuleDecides) {
    race("[[rule]]\nname = 'next'\naction = 'refuse'\n");
    session_->client(iq("set", "1") + "<b/>");
    EXPECT_EQ(session_->rule_of(0), "next");
    EXPECT_EQ(session_->reached(), "<b/>");
}

TEST_F(GateQuotaRace, ThenListsMayHaveToBeAsked) {
    race("[[rule]]\nname = 'next'\naction = 'refuse'\ndnsbl = 'a.example'\n");
    session_->driver.world_answers = GateDriver::Connect::when_told;
    session_->driver.world.unasked = {"a.example"};
    session_->client(iq("set", "1") + "<b/>");
    EXPECT_EQ(session_->driver.look_ups, std::vector<std::string>{"a.example"});
    EXPECT_EQ(session_->reached(), "");
    session_->driver.world.unasked.clear();
    session_->driver.looked_up();
    EXPECT_EQ(session_->rule_of(0), "default");
    EXPECT_EQ(session_->reached(), "<b/>");
}

TEST_F(GateQuotaRace, ARedirectUsesNothing) {
    race(
        "[[rule]]\nname = 'next'\naction = 'redirect'\n"
        "quota = { count = 1, per = '1h', by = 'all' }\n");
    session_->client(iq("set", "1") + "<b/>");
    EXPECT_EQ(session_->rule_of(0), "next");
    EXPECT_EQ(session_->driver.world.quotas.attempts(), 1U);  // the other session's
}

TEST_F(GateQuotaRace, ForTheSecondOfTwoDomainsToo) {
    Rules const rules(
        "[[rule]]\nname = 'own'\nhost = 'example.org'\naction = 'forward'\n"
        "quota = { count = 1, per = '1h', by = 'all' }\n" +
        once("all"));
    Session session(rules.policy);
    session.open();
    auto& world = session.driver.world;
    int reservations = 0;
    world.before_reserve = [&] {
        if (++reservations != 2) return;
        auto const peer = peer_at(stranger);
        auto const& rule = rules.config.rules.at(1);
        taken_ = world.quotas.reserve(rule.id, *rule.quota, {peer.address, "second.example"},
                                      world.tick);
    };
    session.client(iq("set", "1", " to='second.example'") + "<b/>");
    EXPECT_EQ(session.reached(), "<b/>");
    EXPECT_EQ(world.quotas.attempts(), 1U);
}

}  // namespace
}  // namespace stanzagate::filters
