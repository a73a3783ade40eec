#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "filters/websocket_reader.hpp"
#include "filters/websocket_writer.hpp"
#include "tests/filters/bosh_client.hpp"
#include "tests/filters/canonical.hpp"
#include "tests/filters/gate_driver.hpp"
#include "tests/filters/registration_corpus.hpp"
#include "tests/filters/test_config.hpp"

// The translators before a gate, as a session puts them together: what the gate promises, it keeps
// behind WebSocket and BOSH too.
namespace stanzagate::filters {
namespace {

const std::string features =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    "<mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const std::string auth =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>";
const std::string ws_open =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>";

struct WebsocketDoor {
    explicit WebsocketDoor(const Policy& policy, std::string_view address = stranger)
        : driver(policy, peer_at(address, Transport::websocket)) {}

    void say(const std::string& message) {
        if (auto const bytes = reader.read(message)) driver.send(Side::client, *bytes);
        deliver();
    }
    void server(std::string_view bytes) {
        driver.send(Side::upstream, bytes);
        deliver();
    }
    void open() {
        say(ws_open);
        server(std::string(bosh_server_header) + features);
        got.clear();
    }
    void deliver() {
        for (auto const& message : writer.write(driver.take(Side::client))) {
            got.push_back(message.text);
            if (message.kind == StreamPiece::Kind::success) reader.restart();
        }
    }

    GateDriver driver;
    WebsocketReader reader{FrameLimits{.frame_bytes = 4000, .depth = 16, .attributes = 32}};
    WebsocketWriter writer;
    std::vector<std::string> got;
};

// A BoshClient whose upstream is a gate.
struct BoshDoor {
    explicit BoshDoor(const Policy& policy, std::string_view address = stranger)
        : driver(policy, peer_at(address, Transport::bosh)) {}

    BoshRequestId say(const std::string& payload, const std::string& attributes = "") {
        client.pass(std::chrono::seconds(3));
        auto const id = client.send_rid(++rid, attributes, payload);
        exchange();
        return id;
    }
    void server(std::string_view bytes) {
        driver.send(Side::upstream, bytes);
        exchange();
    }
    void open() {
        client.create();
        exchange();
        server(std::string(bosh_server_header) + features);
    }
    void exchange() {
        driver.send(Side::client, client.take_upstream());
        client.server(driver.take(Side::client));
    }

    GateDriver driver;
    BoshClient client;
    unsigned rid = 0;
};

class HttpDoors : public testing::Test {
protected:
    config::Config config = config_of();
    Policy policy{config};
};

TEST_F(HttpDoors, ARegistrationOverWebsocketIsRedirected) {
    WebsocketDoor door(policy);
    door.open();
    auto const before = door.driver.got(Side::upstream);
    door.say("<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>");
    ASSERT_EQ(door.got.size(), 1U);
    EXPECT_NE(door.got[0].find("https://example.org/register"), std::string::npos);
    EXPECT_EQ(canonical(door.got[0]).rfind("<jabber:client\niq", 0), 0U) << door.got[0];
    EXPECT_EQ(door.driver.got(Side::upstream), before);
}

TEST_F(HttpDoors, ARegistrationOverBoshIsRedirected) {
    BoshDoor door(policy);
    door.open();
    auto const before = door.driver.got(Side::upstream);
    auto const id = door.say("<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>");
    auto const answer = door.client.answer(id);
    ASSERT_TRUE(answer);
    EXPECT_NE(answer->find("https://example.org/register"), std::string::npos);
    EXPECT_NE(canonical(*answer).find("<jabber:client\niq"), std::string::npos) << *answer;
    EXPECT_EQ(door.driver.got(Side::upstream), before);
}

TEST_F(HttpDoors, NothingLeaksThroughWebsocket) {
    for (auto const& request : registration_corpus(300, 7)) {
        WebsocketDoor door(policy);
        door.open();
        auto const before = door.driver.got(Side::upstream);
        door.say(request.xml);
        ASSERT_EQ(door.driver.got(Side::upstream), before) << request.xml;
        // Prefixes that only a header could declare are refused.
        bool const refused = door.reader.error().has_value();
        ASSERT_EQ(door.got.size(), refused ? 0U : 1U) << request.xml;
        if (refused) continue;
        ASSERT_NE(canonical(door.got[0]), "") << door.got[0];
    }
}

// The prefixes of the corpus are declared on <body/>, and an iq without any has no namespace of its
// own.
TEST_F(HttpDoors, NothingLeaksThroughBosh) {
    for (auto const& request : registration_corpus(300, 7)) {
        BoshDoor door(policy);
        door.open();
        auto const before = door.driver.got(Side::upstream);
        auto const id = door.say(request.xml,
                                 "xmlns:hc='jabber:client' xmlns:hr='jabber:iq:register' "
                                 "xmlns:stream='http://etherx.jabber.org/streams'");
        ASSERT_EQ(door.driver.got(Side::upstream), before) << request.xml;
        ASSERT_TRUE(door.client.answer(id)) << request.xml;
        ASSERT_EQ(door.client.broken_promise, "");
    }
}

TEST_F(HttpDoors, AFriendsRegistrationIsForwardedAsItIs) {
    std::string const request =
        "<iq type='set' id=\"r\"><query "
        "xmlns='jabber:iq:register'><username>&#97;</username></query></iq>";
    WebsocketDoor websocket(policy, whitelisted);
    websocket.open();
    websocket.driver.take(Side::upstream);
    websocket.say(request);
    EXPECT_EQ(websocket.driver.take(Side::upstream), request);

    BoshDoor bosh(policy, whitelisted);
    bosh.open();
    bosh.driver.take(Side::upstream);
    bosh.say(request);
    EXPECT_EQ(bosh.driver.take(Side::upstream), request);
}

TEST_F(HttpDoors, AWebsocketSessionUntilItIsBound) {
    WebsocketDoor door(policy);
    door.open();
    door.say(auth);
    door.server(sasl_success);
    EXPECT_EQ(door.got, std::vector<std::string>{std::string(sasl_success)});
    EXPECT_TRUE(door.driver.relaying());
    door.reader.authenticated(FrameLimits{.frame_bytes = 1U << 23U, .depth = 99, .attributes = 99});
    door.driver.take(Side::upstream);
    door.say(ws_open);
    EXPECT_TRUE(
        door.driver.take(Side::upstream).starts_with("<?xml version='1.0'?><stream:stream"));
    door.server(std::string(bosh_server_header) + "<stream:features/>");
    door.say("<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>");
    EXPECT_EQ(door.driver.take(Side::upstream),
              "<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>");
    door.server("<iq id='r'/>");
    EXPECT_EQ(door.got.back(), "<iq xmlns='jabber:client' id='r'/>");
}

TEST_F(HttpDoors, ABoshSessionUntilItIsBound) {
    BoshDoor door(policy);
    door.open();
    auto const success = door.say(auth);
    door.server(sasl_success);
    EXPECT_EQ(door.client.answer(success), body_of("", std::string(sasl_success)));
    EXPECT_TRUE(door.driver.relaying());
    door.driver.take(Side::upstream);
    auto const restart = door.say("", "xmpp:restart='true' to='example.org'");
    EXPECT_TRUE(
        door.driver.take(Side::upstream).starts_with("<?xml version='1.0'?><stream:stream"));
    door.server(std::string(bosh_server_header) + "<stream:features/>");
    EXPECT_NE(door.client.answer(restart)->find("<stream:features"), std::string::npos);
    auto const bind = door.say("<iq id='b'/>");
    EXPECT_EQ(door.driver.take(Side::upstream), "<iq id='b'/>");
    door.server("<iq id='b'/>");
    EXPECT_EQ(door.client.answer(bind), body_of("", "<iq xmlns='jabber:client' id='b'/>"));
    EXPECT_EQ(door.client.broken_promise, "");
}

TEST_F(HttpDoors, AHostThatNobodyServes) {
    WebsocketDoor websocket(policy);
    websocket.say(
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='x.invalid' version='1.0'/>");
    ASSERT_EQ(websocket.got.size(), 3U);
    EXPECT_EQ(websocket.got[0].rfind("<open ", 0), 0U);
    EXPECT_NE(websocket.got[1].find("<host-unknown "), std::string::npos);

    BoshDoor bosh(policy);
    auto const id = bosh.client.send("rid='1' to='x.invalid' ver='1.6'");
    bosh.exchange();
    auto const answer = bosh.client.answer(id);
    ASSERT_TRUE(answer);
    EXPECT_NE(answer->find("condition='remote-stream-error'"), std::string::npos);
    EXPECT_NE(answer->find("<host-unknown "), std::string::npos);
}

}  // namespace
}  // namespace stanzagate::filters
