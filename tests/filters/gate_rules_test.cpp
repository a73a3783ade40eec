// What rules do to a stream: their answers, delays, look-ups, quotas and invitations.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/filters/rules_session.hpp"

namespace stanzagate::filters {
namespace {

using namespace rules;
using namespace std::chrono_literals;

TEST(GateRules, RedirectByTheRulesOwnWords) {
    Rules const rules(
        rule("action = 'redirect'\ntext = 'Ask {url} first.'\n"
             "url = 'https://its.example/'\nrefusal = 'forbidden'"));
    in_every_split(rules.policy, iq("get", "1") + iq("set", "2") + "<presence/>", open,
                   [](Session& session) {
                       auto const got = session.got();
                       EXPECT_TRUE(has(got, "<instructions>Ask https://its.example/ first.</"));
                       EXPECT_TRUE(has(got, "<url>https://its.example/</url>"));
                       EXPECT_TRUE(has(got, "<forbidden "));
                       EXPECT_EQ(session.reached(), "<presence/>");
                   });
}

TEST(GateRules, RefuseAnswersBothWithTheError) {
    Rules const rules(rule("action = 'refuse'\nrefusal = 'not-allowed'"));
    Session session(rules.policy);
    session.open();
    for (auto const* const type : {"get", "set"}) {
        session.client(iq(type, "1"));
        auto const got = session.got();
        EXPECT_TRUE(has(got, "type='error'")) << got;
        EXPECT_TRUE(has(got, "<not-allowed ")) << got;
    }
    EXPECT_EQ(session.reached(), "");
}

TEST(GateRules, CloseEndsTheStream) {
    Rules const rules(rule("action = 'close'"));
    in_every_split(
        rules.policy, "<presence/>" + iq("get", "1") + "<message/>", open, [](Session& session) {
            EXPECT_TRUE(session.driver.closed());
            EXPECT_EQ(session.driver.stream_error, StreamErrorCondition::policy_violation);
            EXPECT_TRUE(session.got().ends_with("</stream:error></stream:stream>"));
            EXPECT_EQ(session.reached(), "<presence/>");
            EXPECT_EQ(session.rule_of(0), "it");
        });
}

TEST(GateDelay, HoldsTheAnswerAndAllBehindIt) {
    Rules const rules(rule("action = 'redirect'\ndelay = '2s'"));
    in_every_split(rules.policy, "<a/>" + iq("get", "1") + "<b/>" + iq("set", "2") + "<c/>",
                   open_and_wait, [](Session& session) {
                       EXPECT_EQ(session.driver.waits.size(), 1U);
                       EXPECT_EQ(session.got(), "");
                       EXPECT_EQ(session.reached(), "<a/>");
                       EXPECT_FALSE(session.driver.gate().wants(Side::client));
                       EXPECT_TRUE(session.driver.gate().wants(Side::upstream));
                       // What the upstream says meanwhile passes.
                       session.upstream("<m/>");
                       EXPECT_EQ(session.got(), "<m/>");
                       session.driver.delay_over();
                       EXPECT_TRUE(has(session.got(), "id='1'"));
                       EXPECT_EQ(session.reached(), "<b/>");
                       EXPECT_EQ(session.driver.waits,
                                 (std::vector<std::chrono::milliseconds>{2s, 2s}));
                       session.driver.delay_over();
                       EXPECT_TRUE(has(session.got(), "id='2'"));
                       EXPECT_EQ(session.reached(), "<c/>");
                       EXPECT_TRUE(session.driver.gate().wants(Side::client));
                   });
}

TEST(GateDelay, BeforeTheUpstreamsFeatures) {
    Rules const rules(rule("action = 'redirect'\ndelay = '2s'"));
    Session session(rules.policy);
    session.driver.world_answers = GateDriver::Connect::when_told;
    session.client(iq("get", "1") + "<b/>");
    session.driver.delay_over();
    EXPECT_EQ(session.got(), "");
    EXPECT_EQ(session.reached(), "");
    session.upstream(header + features);
    auto const got = session.got();
    EXPECT_TRUE(got.ends_with("</iq>")) << got;
    EXPECT_TRUE(has(got, "</stream:features><iq ")) << got;
    EXPECT_EQ(session.reached(), "<b/>");
}

TEST(GateDelay, ThenClose) {
    Rules const rules(rule("action = 'close'\ndelay = '1s'"));
    Session session(rules.policy);
    open_and_wait(session);
    session.client(iq("get", "1") + "<b/>");
    EXPECT_FALSE(session.driver.closed());
    EXPECT_EQ(session.got(), "");
    session.driver.delay_over();
    EXPECT_TRUE(session.driver.closed());
    EXPECT_TRUE(has(session.got(), "<policy-violation "));
    EXPECT_EQ(session.reached(), "");
}

TEST(GateDelay, AnEndMeanwhile) {
    Rules const rules(rule("action = 'redirect'\ndelay = '1s'"));
    for (Side const side : {Side::client, Side::upstream}) {
        Session session(rules.policy);
        open_and_wait(session);
        session.client(iq("get", "1") + "<b/>");
        session.driver.eof(side);
        EXPECT_TRUE(session.driver.closed());
        static_cast<void>(session.got());
        session.driver.delay_over();
        EXPECT_EQ(session.got(), "");
        EXPECT_EQ(session.reached(), "");
        EXPECT_EQ(session.driver.broken_promise, "");
    }
}

const std::string listed = "action = 'refuse'\ndnsbl = 'a.example'";

TEST(GateLookUp, HoldsTheFeatures) {
    Rules const rules(rule(listed));
    auto const bytes = header + features + "<m/>";
    for (auto const& pieces : every_split(bytes)) {
        Session session(rules.policy);
        session.driver.world.unasked = {"a.example"};
        session.driver.world_answers = GateDriver::Connect::when_told;
        for (auto const piece : pieces) session.upstream(piece);
        EXPECT_EQ(session.got(), header);
        EXPECT_EQ(session.driver.look_ups, std::vector<std::string>{"a.example"});
        EXPECT_FALSE(session.driver.gate().wants(Side::upstream));
        EXPECT_TRUE(session.driver.gate().wants(Side::client));
        session.client("<b/>");
        EXPECT_EQ(session.reached(), "<b/>");
        session.driver.world.unasked.clear();
        session.driver.looked_up();
        auto const got = session.got();
        EXPECT_TRUE(has(got, "http://jabber.org/features/iq-register")) << got;
        EXPECT_TRUE(got.ends_with("</stream:features><m/>")) << got;
        EXPECT_TRUE(session.driver.gate().wants(Side::upstream));
    }
}

TEST(GateLookUp, HoldsTheRequest) {
    Rules const rules(rule(listed) + "[[rule]]\nname = 'rest'\naction = 'forward'\n");
    for (bool const is_listed : {false, true}) {
        in_every_split(
            rules.policy, "<a/>" + iq("set", "1") + "<b/>",
            [&](Session& session) {
                open_and_wait(session);
                session.driver.world.unasked = {"a.example"};
            },
            [&](Session& session) {
                EXPECT_EQ(session.reached(), "<a/>");
                EXPECT_EQ(session.got(), "");
                EXPECT_FALSE(session.driver.gate().wants(Side::client));
                EXPECT_TRUE(session.driver.gate().wants(Side::upstream));
                session.upstream("<m/>");
                EXPECT_EQ(session.got(), "<m/>");
                session.driver.world.unasked.clear();
                if (is_listed) session.driver.world.listing = {"a.example"};
                session.driver.looked_up();
                EXPECT_EQ(session.reached(), is_listed ? "<b/>" : iq("set", "1") + "<b/>");
                EXPECT_EQ(has(session.got(), "<not-authorized "), is_listed);
                EXPECT_EQ(session.driver.registrations.size(), 1U);
                EXPECT_EQ(session.rule_of(0), is_listed ? "it" : "rest");
            });
    }
}

TEST(GateLookUp, HoldsBoth) {
    Rules const rules(rule(listed));
    Session session(rules.policy);
    session.driver.world.unasked = {"a.example"};
    session.driver.world_answers = GateDriver::Connect::when_told;
    session.client(iq("get", "1") + "<b/>");
    session.upstream(header + features + "<m/>");
    EXPECT_EQ(session.got(), header);
    EXPECT_FALSE(session.driver.gate().wants(Side::client));
    EXPECT_FALSE(session.driver.gate().wants(Side::upstream));
    // A list that never answered lists nobody.
    session.driver.looked_up();
    auto const got = session.got();
    EXPECT_TRUE(got.starts_with("<stream:features>")) << got;
    EXPECT_LT(got.find("</stream:features>"), got.find("<iq ")) << got;
    EXPECT_TRUE(has(got, "<m/>")) << got;
    EXPECT_EQ(session.reached(), "<b/>");
    EXPECT_EQ(session.rule_of(0), "default");
}

// The stream's host and the iq's `to` may have lists of their own.
TEST(GateLookUp, AsksThoseOfBothDomainsAtOnce) {
    Rules const rules(
        "[[rule]]\nname = 'own'\nhost = 'example.org'\ndnsbl = 'a.example'\n"
        "action = 'refuse'\n"
        "[[rule]]\nname = 'others'\nhost = 'second.example'\n"
        "dnsbl = 'b.example'\naction = 'refuse'\n"
        "[[rule]]\nname = 'rest'\naction = 'forward'\n");
    for (bool const is_listed : {false, true}) {
        Session session(rules.policy);
        open_and_wait(session);
        session.driver.world.unasked = {"a.example", "b.example"};
        auto const request = iq("set", "1", " to='second.example'");
        session.client(request);
        EXPECT_EQ(session.driver.look_ups, (std::vector<std::string>{"a.example", "b.example"}));
        session.driver.world.unasked.clear();
        if (is_listed) session.driver.world.listing = {"b.example"};
        session.driver.looked_up();
        EXPECT_EQ(session.reached(), is_listed ? "" : request);
        EXPECT_EQ(session.rule_of(0), is_listed ? "others" : "rest");
    }
}

// A reload may bring a list while others are being asked.
TEST(GateLookUp, AsksForWhatHasBecomeNeededMeanwhile) {
    Rules const before(rule("dnsbl = 'a.example'\naction = 'refuse'") +
                       "[[rule]]\nname = 'rest'\naction = 'forward'\n");
    Rules const after(rule("dnsbl = ['a.example', 'b.example']\naction = 'refuse'") +
                      "[[rule]]\nname = 'rest'\naction = 'forward'\n");
    Session session(before.policy);
    open_and_wait(session);
    session.driver.world.unasked = {"a.example", "b.example"};
    session.client(iq("set", "1"));
    session.driver.gate().use(after.policy);
    session.driver.looked_up();
    EXPECT_EQ(session.reached(), "");
    EXPECT_EQ(session.driver.look_ups, (std::vector<std::string>{"a.example", "b.example"}));
    session.driver.world.listing = {"b.example"};
    session.driver.world.unasked = {"a.example"};
    session.driver.looked_up();
    EXPECT_EQ(session.rule_of(0), "it");
    EXPECT_EQ(session.reached(), "");
}

TEST(GateLookUp, AnEndMeanwhile) {
    Rules const rules(rule(listed));
    for (Side const side : {Side::client, Side::upstream}) {
        Session session(rules.policy);
        session.driver.world.unasked = {"a.example"};
        session.driver.world_answers = GateDriver::Connect::when_told;
        session.upstream(header + features);
        session.client(iq("set", "1"));
        static_cast<void>(session.got());
        session.driver.eof(side);
        EXPECT_TRUE(session.driver.closed());
        EXPECT_EQ(has(session.got(), "<internal-server-error "), side == Side::upstream);
        session.driver.looked_up();
        EXPECT_EQ(session.got(), "");
        EXPECT_EQ(session.reached(), "");
        EXPECT_EQ(session.driver.broken_promise, "");
    }
}

TEST(GateUse, TheNextDecisionIsByTheNewPolicy) {
    Rules const old_rules(rule("action = 'forward'"));
    Rules const new_rules(rule("action = 'refuse'"));
    Session session(old_rules.policy);
    session.open();
    session.client(iq("set", "1"));
    EXPECT_EQ(session.reached(), iq("set", "1"));
    session.driver.gate().use(new_rules.policy);
    session.client(iq("set", "2"));
    EXPECT_EQ(session.reached(), "");
    EXPECT_EQ(session.driver.registrations.back().action, Action::refuse);
}

TEST(GateUse, AHostThatVanishedIsDecidedByTheDefault) {
    Rules const rules(rule("action = 'forward'"));
    config::Config smaller;
    smaller.registration = rules.config.registration;
    Policy const without(smaller);
    Session session(rules.policy);
    session.open();
    session.driver.gate().use(without);
    session.client(iq("set", "1"));
    EXPECT_EQ(session.reached(), "");
    EXPECT_EQ(session.rule_of(0), "default");
}

TEST(GateUse, TheOldPolicyIsNotNeededAnyMore) {
    Rules const latest("");
    auto old = std::make_unique<Rules>("");
    GateDriver driver(old->policy, peer_at(stranger), Gate::Door::starttls);
    driver.gate().use(latest.policy);
    old.reset();
    driver.send(Side::client, header);
    EXPECT_TRUE(has(driver.got(Side::client), "from='example.org'"));
}

}  // namespace
}  // namespace stanzagate::filters
