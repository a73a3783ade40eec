#include <gtest/gtest.h>

#include <string>

#include "proxy/worker.hpp"
#include "tests/proxy/http_client.hpp"
#include "tests/proxy/sockets.hpp"
#include "tests/proxy/test_gate.hpp"

// What sessions over real sockets leave in the counters.
namespace stanzagate::proxy {
namespace {

using namespace testing;
using Kind = ConnectionKind;
using Stage = ConnectionStage;

const std::string header =
    "<stream:stream xmlns='jabber:client' to='example.org' version='1.0' "
    "xmlns:stream='http://etherx.jabber.org/streams'>";
const std::string opening =
    "<stream:stream xmlns='jabber:client' id='1' version='1.0' "
    "xmlns:stream='http://etherx.jabber.org/streams'><stream:features></stream:features>";
const std::string auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X'>AA==</auth>";
const std::string success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const std::string get = "<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>";

class SessionCountsTest : public ::testing::Test {
protected:
    Totals totals() {
        Totals totals;
        totals.add(gate_.worker().counters());
        return totals;
    }
    std::uint64_t open(Kind kind, Stage stage) { return totals().connections[kind][stage]; }
    // Whether it becomes that many, since the worker counts when it gets there.
    bool becomes(Kind kind, Stage stage, std::uint64_t count) {
        return eventually([&] { return open(kind, stage) == count; });
    }
    bool nobody_is_left() {
        return eventually([&] {
            std::uint64_t sum = 0;
            totals().connections.each([&](Kind, auto const& stages) {
                stages.each([&](Stage, std::uint64_t count) { sum += count; });
            });
            return sum == 0;
        });
    }
    // The upstream's end, when both have said how they begin.
    Fd begin(Client& client) {
        client.say(header);
        auto upstream = upstream_.accept();
        EXPECT_EQ(hear(upstream, header.size()), header);
        say(upstream, opening);
        EXPECT_EQ(client.hear(opening.size()), opening);
        return upstream;
    }
    void authenticate(Client& client, const Fd& upstream) {
        client.say(auth);
        EXPECT_EQ(hear(upstream, auth.size()), auth);
        say(upstream, success);
        EXPECT_EQ(client.hear(success.size()), success);
    }

    TestUpstream upstream_;
    TestGate gate_{upstream_, ""};
};

TEST_F(SessionCountsTest, ASessionFromBeginningToEnd) {
    {
        auto fd = gate_.dial("starttls");
        EXPECT_TRUE(becomes(Kind::starttls, Stage::handshake, 1));
        fd.reset();
        EXPECT_TRUE(nobody_is_left());
        EXPECT_EQ(totals().connections_total[Kind::starttls], 1U);
        EXPECT_EQ(totals().session_ends[SessionEnd::client_closed], 1U);
    }
    auto client = gate_.connect("starttls");
    EXPECT_TRUE(becomes(Kind::starttls, Stage::negotiating, 1));
    EXPECT_EQ(totals().handshakes[HandshakeResult::ok], 1U);
    EXPECT_EQ(totals().connections_total[Kind::starttls], 2U);
    auto upstream = begin(client);
    EXPECT_EQ(totals().relayed_bytes[Direction::to_upstream], 0U);
    authenticate(client, upstream);
    EXPECT_TRUE(becomes(Kind::starttls, Stage::relaying, 1));
    auto const before = totals().relayed_bytes[Direction::to_upstream];
    client.say("12345");
    EXPECT_EQ(hear(upstream, 5), "12345");
    say(upstream, "1234567");
    EXPECT_EQ(client.hear(7), "1234567");
    EXPECT_EQ(totals().relayed_bytes[Direction::to_upstream] - before, 5U);
    EXPECT_EQ(totals().relayed_bytes[Direction::to_client], 7U);
    upstream.reset();
    client.hear_to_end();
    client.say_no_more();
    EXPECT_TRUE(nobody_is_left());
    EXPECT_EQ(totals().session_ends[SessionEnd::upstream_closed], 1U);
    EXPECT_EQ(totals().connections_total[Kind::starttls], 2U);
}

TEST_F(SessionCountsTest, AHandshakeThatFails) {
    Client client(gate_.dial("direct"), false);
    client.say("this is no ClientHello, whoever looks at it");
    client.hear_to_end();
    client.say_no_more();
    EXPECT_TRUE(nobody_is_left());
    EXPECT_EQ(totals().handshakes[HandshakeResult::failed], 1U);
    EXPECT_EQ(totals().session_ends[SessionEnd::handshake_failed], 1U);
}

TEST_F(SessionCountsTest, DecisionsAndStreamErrors) {
    auto client = gate_.connect("direct");
    auto const upstream = begin(client);
    client.say(get + get);
    EXPECT_NE(client.hear_until("</iq>"), "");
    EXPECT_NE(client.hear_until("</iq>"), "");
    auto const totals_now = totals();
    EXPECT_EQ(totals_now.registrations,
              (LabelledTotals<4>{{{"example.org", "default", "redirect", "get"}, 2}}));
    auto const decisions = gate_.recent().decisions();
    ASSERT_EQ(decisions.size(), 2U);
    EXPECT_EQ(decisions[0].host, "example.org");
    EXPECT_EQ(decisions[0].transport, filters::Transport::direct);
    EXPECT_EQ(decisions[0].peer, config::Address::parse("127.0.0.1"));
    client.say("<not well-formed>");
    EXPECT_NE(client.hear_to_end().find("not-well-formed"), std::string::npos);
    EXPECT_EQ(totals().stream_errors[filters::StreamErrorCondition::not_well_formed], 1U);
}

// What speaks HTTP is no client of direct TLS, and a WebSocket is both for one moment.
TEST_F(SessionCountsTest, ConnectionsThatSpeakHttp) {
    WebsocketClient client(gate_.connect("all"));
    EXPECT_EQ(totals().connections_total[Kind::direct], 0U);
    EXPECT_EQ(client.open().status, 101U);
    EXPECT_TRUE(becomes(Kind::websocket, Stage::negotiating, 1));
    EXPECT_EQ(open(Kind::http, Stage::open), 0U);
    HttpClient other(gate_.connect("all"));
    other.ask("GET", "/nothing");
    EXPECT_EQ(other.hear().status, 404U);
    EXPECT_EQ(open(Kind::http, Stage::open), 1U);
    other.client().say_no_more();
    client.client().fd().reset();
    EXPECT_TRUE(nobody_is_left());
    auto const counted = totals().connections_total;
    EXPECT_EQ(counted[Kind::direct], 0U);
    EXPECT_EQ(counted[Kind::http], 2U);
    EXPECT_EQ(counted[Kind::websocket], 1U);
}

TEST_F(SessionCountsTest, XmppAtADoorThatServesAll) {
    auto client = gate_.connect("all");
    auto const upstream = begin(client);
    EXPECT_EQ(totals().connections_total[Kind::direct], 1U);
    EXPECT_EQ(open(Kind::direct, Stage::negotiating), 1U);
    EXPECT_EQ(totals().connections_total[Kind::http], 0U);
}

// Who may speak for others over HTTP speaks for itself where it speaks XMPP, at whatever door.
TEST(RefusedConnections, AreThoseOfWhoSpeaksForOthersToo) {
    TestUpstream const upstream;
    for (auto const* const door : {"none", "direct", "all-none", "all"}) {
        TestGate const gate(upstream, "limits.connections_per_address = 1\n");
        auto first = gate.connect_from("127.0.0.3", door);
        first.say(header);
        EXPECT_TRUE(upstream.accept()) << door;
        Client second(gate.dial(door, 0, "127.0.0.3"), !std::string_view(door).ends_with("none"));
        if (second.handshake()) second.say(header);
        EXPECT_EQ(second.hear_to_end(), "") << door;
        EXPECT_FALSE(upstream.has_waiting()) << door;
    }
}

TEST(RefusedConnections, AreCountedByTheLimit) {
    TestUpstream const upstream;
    TestGate gate(upstream, "limits.connections_per_address = 1\n");
    auto const first = gate.connect("direct");
    Client second(gate.dial("direct"), false);
    EXPECT_EQ(second.hear_to_end(), "");
    // It is counted when the client may have noticed already.
    Totals totals;
    EXPECT_TRUE(eventually([&] {
        totals = {};
        totals.add(gate.worker().counters());
        return totals.refused_connections[Admission::Refusal::connections_per_address] == 1;
    }));
    EXPECT_EQ(totals.refused_connections[Admission::Refusal::connections], 0U);
    EXPECT_EQ(totals.connections_total[Kind::direct], 1U) << "it was not let in";
    EXPECT_EQ(totals.connections[Kind::direct][Stage::handshake], 0U);
}

}  // namespace
}  // namespace stanzagate::proxy
