#include "filters/gate.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/filters/gate_driver.hpp"
#include "tests/filters/test_config.hpp"
#include "tests/filters/test_world.hpp"

// What a transcript cannot say of a Gate: what it wants, whom it names, what it finds, and that it
// is quiet when it is over.
namespace stanzagate::filters {
namespace {

const std::string header =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "to='second.example' version='1.0'>";
const std::string features = "<stream:features><a/></stream:features>";
const std::string starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const std::string auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>";
const std::string success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";

class GateTest : public testing::Test {
protected:
    Gate gate(Gate::Door door = Gate::Door::secure) {
        return {policy_, world_, peer_at(stranger), door, "id-1"};
    }
    // Behind the upstream's header.
    void open(Gate& gate) {
        static_cast<void>(gate.receive(Side::client, header));
        static_cast<void>(gate.upstream_ready());
        static_cast<void>(gate.receive(Side::upstream, header + features));
    }

    config::Config config_ = config_of();
    Policy policy_{config_};
    TestWorld world_;
};

TEST_F(GateTest, WantsTheClientFirst) {
    auto gate = this->gate();
    EXPECT_TRUE(gate.wants(Side::client));
    EXPECT_FALSE(gate.wants(Side::upstream));
    auto const effects = gate.receive(Side::client, header);
    EXPECT_EQ(effects.command, Command::connect);
    EXPECT_EQ(effects.to_upstream, "");
    ASSERT_NE(effects.host, nullptr);
    EXPECT_EQ(effects.host->name.name, "second.example");
    EXPECT_EQ(gate.host(), "second.example");
    EXPECT_FALSE(gate.wants(Side::client));
    EXPECT_FALSE(gate.wants(Side::upstream));
    EXPECT_EQ(gate.upstream_ready().to_upstream, header);
    EXPECT_TRUE(gate.wants(Side::client));
    EXPECT_TRUE(gate.wants(Side::upstream));
}

TEST_F(GateTest, WantsNoClientBytesWhileItWaits) {
    for (auto const& [element, answer] : std::vector<std::pair<std::string, std::string>>{
             {auth, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"},
             {"<iq type='set' id='1'><query xmlns='jabber:iq:auth'/></iq>",
              "<iq type='error' id='1'/>"},
             {"<iq type='set' id='1'><preauth xmlns='urn:xmpp:pars:0'/></iq>",
              "<iq type='result' id='1'/>"}}) {
        auto gate = this->gate();
        open(gate);
        static_cast<void>(gate.receive(Side::client, element));
        EXPECT_FALSE(gate.wants(Side::client)) << element;
        EXPECT_TRUE(gate.wants(Side::upstream)) << element;
        static_cast<void>(gate.receive(Side::upstream, answer));
        EXPECT_TRUE(gate.wants(Side::client)) << element;
    }
}

TEST_F(GateTest, WantsNothingWhenItIsOver) {
    auto gate = this->gate();
    open(gate);
    static_cast<void>(gate.receive(Side::client, auth));
    EXPECT_EQ(gate.receive(Side::upstream, success).command, Command::relay);
    EXPECT_FALSE(gate.wants(Side::client));
    EXPECT_FALSE(gate.wants(Side::upstream));
}

// A read of 64 KB holds some 900 requests, and each may have an answer of many kilobytes.
TEST_F(GateTest, AnswersNoMoreAtOnceThanItHasTo) {
    auto const config = config_of("[registration]\nurl = 'https://example.org/'\ntext = '" +
                                  std::string(4000, 'x') + "'\n");
    Policy const policy(config);
    Gate gate(policy, world_, peer_at(stranger), Gate::Door::secure, "id-1");
    open(gate);
    std::string asked;
    constexpr std::size_t requests = 100;
    for (std::size_t i = 0; i < requests; ++i)
        asked += "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>";
    std::size_t answered = 0;
    auto effects = gate.receive(Side::client, asked + "<message/>");
    for (;;) {
        EXPECT_LT(effects.to_client.size(), 80'000U);
        answered += effects.registrations.size();
        if (!gate.unfinished()) break;
        EXPECT_FALSE(gate.wants(Side::client));
        EXPECT_FALSE(gate.wants(Side::upstream));
        effects = gate.go_on();
    }
    EXPECT_EQ(answered, requests);
    EXPECT_EQ(effects.to_upstream, "<message/>");
    EXPECT_TRUE(gate.wants(Side::client));
}

TEST_F(GateTest, HearsNoMoreThanTheLimitInAll) {
    auto const config =
        config_of("[limits]\nnegotiation_bytes = '64KiB'\n" + std::string(usual_settings));
    Policy const policy(config);
    Gate gate(policy, world_, peer_at(stranger), Gate::Door::secure, "id-1");
    open(gate);
    std::string const message = "<message/>";
    std::size_t heard = header.size();
    for (; heard + message.size() <= 65'536; heard += message.size())
        ASSERT_EQ(gate.receive(Side::client, message).to_upstream, message);
    // up to the last byte
    std::string const rest(65'536 - heard, ' ');
    EXPECT_EQ(gate.receive(Side::client, rest).to_upstream, rest);
    auto const effects = gate.receive(Side::client, "<");
    EXPECT_EQ(effects.stream_error, StreamErrorCondition::policy_violation);
    EXPECT_EQ(effects.command, Command::close);
    EXPECT_EQ(effects.to_upstream, "");
}

TEST_F(GateTest, HearsNoMoreThanTheLimitInTheClear) {
    auto const config =
        config_of("[limits]\nnegotiation_bytes = '64KiB'\n" + std::string(usual_settings));
    Policy const policy(config);
    Gate gate(policy, world_, peer_at(stranger), Gate::Door::starttls, "id-1");
    static_cast<void>(gate.receive(Side::client, header));
    std::string const spaces(8'192, ' ');
    for (int i = 0; i < 7; ++i)
        ASSERT_EQ(gate.receive(Side::client, spaces).command, Command::none);
    EXPECT_EQ(gate.receive(Side::client, spaces).stream_error,
              StreamErrorCondition::policy_violation);
}

TEST_F(GateTest, DecidesNoMoreRequestsThanTheLimit) {
    auto const config =
        config_of("[limits]\nnegotiation_requests = 3\n" + std::string(usual_settings));
    Policy const policy(config);
    // Asked for one by one, or all in a packet; allowed, or not.
    for (auto const* const address : {"198.51.100.7", "192.0.2.7"}) {
        Gate gate(policy, world_, peer_at(address), Gate::Door::secure, "id-1");
        open(gate);
        std::string const get = "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>";
        EXPECT_EQ(gate.receive(Side::client, get).registrations.size(), 1U);
        auto const effects = gate.receive(Side::client, get + get + get + "<message/>");
        EXPECT_EQ(effects.registrations.size(), 2U);
        EXPECT_EQ(effects.stream_error, StreamErrorCondition::policy_violation);
        EXPECT_EQ(effects.command, Command::close);
        EXPECT_FALSE(effects.to_upstream.ends_with("<message/>"));
    }
}

using Event = std::function<Effects(Gate&)>;

const std::vector<std::pair<const char*, Event>>& events() {
    static const std::vector<std::pair<const char*, Event>> all{
        {"client bytes", [](Gate& gate) { return gate.receive(Side::client, header + auth); }},
        {"upstream bytes", [](Gate& gate) { return gate.receive(Side::upstream, header); }},
        {"client ends", [](Gate& gate) { return gate.eof(Side::client); }},
        {"upstream ends", [](Gate& gate) { return gate.eof(Side::upstream); }},
        {"tls done", [](Gate& gate) { return gate.tls_done("id-2"); }},
        {"timed out", [](Gate& gate) { return gate.timed_out(); }},
        {"draining", [](Gate& gate) { return gate.draining(); }},
        {"upstream ready", [](Gate& gate) { return gate.upstream_ready(); }},
        {"upstream failed", [](Gate& gate) { return gate.upstream_failed(); }},
    };
    return all;
}

void expect_quiet(Gate& gate) {
    for (auto const& [name, event] : events()) {
        auto const effects = event(gate);
        EXPECT_EQ(effects.to_client, "") << name;
        EXPECT_EQ(effects.to_upstream, "") << name;
        EXPECT_EQ(effects.command, Command::none) << name;
        EXPECT_TRUE(effects.registrations.empty()) << name;
        EXPECT_EQ(effects.stream_error, std::nullopt) << name;
    }
}

TEST_F(GateTest, IsQuietWhenItIsOver) {
    for (auto const* const last : {"<a></b>", "</stream:stream>", ""}) {
        auto gate = this->gate();
        open(gate);
        static_cast<void>(gate.receive(Side::client, last));
        static_cast<void>(gate.eof(Side::upstream));
        expect_quiet(gate);
    }
    auto relayed = gate();
    open(relayed);
    static_cast<void>(relayed.receive(Side::client, auth));
    static_cast<void>(relayed.receive(Side::upstream, success));
    expect_quiet(relayed);

    auto in_the_clear = gate(Gate::Door::starttls);
    static_cast<void>(in_the_clear.receive(Side::client, "x"));
    expect_quiet(in_the_clear);

    auto closed_by_both = gate();
    open(closed_by_both);
    static_cast<void>(closed_by_both.receive(Side::upstream, "</stream:stream>"));
    static_cast<void>(closed_by_both.eof(Side::upstream));
    expect_quiet(closed_by_both);
}

// Whatever happens in whatever phase, the session ends, once.
TEST_F(GateTest, EndsOnceWhateverHappens) {
    auto const receive = [](Gate& gate, Side side, std::string_view bytes) {
        static_cast<void>(gate.receive(side, bytes));
    };
    struct Phase {
        const char* name;
        Gate::Door door;
        std::function<void(Gate&)> reach;
    };
    std::vector<Phase> const phases{
        {"new", Gate::Door::secure, [](Gate&) {}},
        {"half a header", Gate::Door::secure, [&](Gate& g) { receive(g, Side::client, "<str"); }},
        {"connecting", Gate::Door::secure, [&](Gate& g) { receive(g, Side::client, header); }},
        {"open", Gate::Door::secure, [&](Gate& g) { open(g); }},
        {"in sasl", Gate::Door::secure,
         [&](Gate& g) {
             open(g);
             receive(g, Side::client, auth);
         }},
        {"closed by the client", Gate::Door::secure,
         [&](Gate& g) {
             open(g);
             receive(g, Side::client, "</stream:stream>");
         }},
        {"clear", Gate::Door::starttls, [](Gate&) {}},
        {"clear header", Gate::Door::starttls, [&](Gate& g) { receive(g, Side::client, header); }},
        {"handshake", Gate::Door::starttls,
         [&](Gate& g) { receive(g, Side::client, header + starttls); }},
    };
    Event const timed_out = [](Gate& gate) { return gate.timed_out(); };
    for (auto const& phase : phases) {
        for (auto const& [name, event] : events()) {
            auto gate = this->gate(phase.door);
            phase.reach(gate);
            int ends = 0;
            for (auto const& step : {event, timed_out, timed_out}) {
                auto const effects = step(gate);
                if (effects.command == Command::close) ++ends;
                bool const said = effects.stream_error.has_value();
                EXPECT_TRUE(!said || effects.command == Command::close) << phase.name << name;
            }
            EXPECT_EQ(ends, 1) << phase.name << ", " << name;
        }
    }
}

TEST_F(GateTest, StartTlsNamesTheHost) {
    auto gate = this->gate(Gate::Door::starttls);
    auto const effects = gate.receive(Side::client, header + starttls);
    EXPECT_EQ(effects.command, Command::start_tls);
    EXPECT_EQ(effects.tls_name, "second.example");
    EXPECT_EQ(effects.host, nullptr);
    static_cast<void>(gate.tls_done("id-2"));
    EXPECT_TRUE(gate.wants(Side::client));
}

TEST_F(GateTest, ClearTextNeverReachesTheUpstream) {
    auto gate = this->gate(Gate::Door::starttls);
    static_cast<void>(gate.receive(Side::client, header + " \n " + starttls));
    static_cast<void>(gate.tls_done("id-2"));
    static_cast<void>(gate.receive(Side::client, header));
    EXPECT_EQ(gate.upstream_ready().to_upstream, header);
}

TEST_F(GateTest, NotesDecisions) {
    auto gate = this->gate();
    open(gate);
    auto const effects = gate.receive(Side::client,
                                      "<iq type='get'><query xmlns='jabber:iq:register'/></iq>"
                                      "<iq type='set'><query xmlns='jabber:iq:register'/></iq>");
    ASSERT_EQ(effects.registrations.size(), 2U);
    EXPECT_EQ(effects.registrations[0].request, RequestKind::get);
    EXPECT_EQ(effects.registrations[1].request, RequestKind::set);
    EXPECT_EQ(effects.registrations[1].action, Action::redirect);
    EXPECT_EQ(effects.registrations[1].rule, "default");
}

TEST_F(GateTest, FindsWhatTheUpstreamShouldNotOffer) {
    auto gate = this->gate();
    static_cast<void>(gate.receive(Side::client, header));
    static_cast<void>(gate.upstream_ready());
    static_cast<void>(gate.receive(Side::upstream, header));
    auto const effects = gate.receive(
        Side::upstream,
        "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
        "<mechanism>SCRAM-SHA-1-PLUS</mechanism><mechanism>EXTERNAL</mechanism></mechanisms>"
        "</stream:features>");
    EXPECT_TRUE(effects.findings.channel_binding);
    EXPECT_TRUE(effects.findings.external);
    EXPECT_FALSE(effects.findings.starttls_only);
    EXPECT_NE(effects.to_client.find("SCRAM-SHA-1-PLUS"), std::string::npos);
}

// A client that asks and does not read must not make the gate grow: behind its own closing tag, and
// while it is held, it is not even listened to.
TEST_F(GateTest, DoesNotCollectBehindAClosingTag) {
    GateDriver driver(policy_, peer_at(stranger));
    driver.send(Side::client, header);
    driver.send(Side::upstream, header + features);
    driver.send(Side::client, "</stream:stream>");
    driver.send(Side::upstream, "</stream:stream>");
    for (int i = 0; i < 100; ++i) {
        driver.send(Side::client, std::string(100'000, ' '));
        driver.send(Side::upstream, std::string(100'000, ' '));
    }
    EXPECT_EQ(driver.got(Side::upstream), header + "</stream:stream>");
    EXPECT_TRUE(driver.got(Side::client).ends_with("</stream:stream>"));
}

}  // namespace
}  // namespace stanzagate::filters
