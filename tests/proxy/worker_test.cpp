#include "proxy/worker.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/filters/random_stream.hpp"
#include "tests/proxy/sockets.hpp"
#include "tests/proxy/test_gate.hpp"

// Sessions over real sockets: a Worker on its thread, OpenSSL's client on one side, a recording
// upstream on the other, and the test in between.
namespace stanzagate::proxy {
namespace {

using namespace testing;
using namespace std::chrono_literals;

const std::string auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X'>AA==</auth>";
const std::string success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const std::string client_header =
    "<stream:stream xmlns='jabber:client' to='example.org' version='1.0' "
    "xmlns:stream='http://etherx.jabber.org/streams'>";
const std::string upstream_opening =
    "<stream:stream xmlns='jabber:client' id='1' version='1.0' "
    "xmlns:stream='http://etherx.jabber.org/streams'><stream:features></stream:features>";

// Both ends of one session.
struct Session {
    Session(const TestGate& gate, const TestUpstream& upstream_server, std::string_view door)
        : client(gate.connect(door)), server(upstream_server) {}

    void open() {
        client.say(client_header);
        upstream = server.accept();
        EXPECT_EQ(hear(upstream, client_header.size()), client_header);
        say(upstream, upstream_opening);
        EXPECT_EQ(client.hear(upstream_opening.size()), upstream_opening);
    }
    void authenticate() {
        client.say(auth);
        EXPECT_EQ(hear(upstream, auth.size()), auth);
        say(upstream, success);
        EXPECT_EQ(client.hear(success.size()), success);
    }

    Client client;
    const TestUpstream& server;
    Fd upstream;
};

// Says all of it in random pieces, as one packet each.
template <typename Say>
void in_pieces(filters::RandomStream& random, const std::string& text, Say&& say_piece) {
    for (std::size_t at = 0; at < text.size();) {
        static constexpr std::size_t sizes[] = {1, 2, 3, 17, 200, 4000, 100'000};
        auto const size = sizes[random.below(7)];
        say_piece(std::string_view(text).substr(at, size));
        at += size;
    }
}

class WorkerTest : public ::testing::Test {
protected:
    TestUpstream upstream_;
};

class DoorTest : public WorkerTest, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Every, DoorTest, ::testing::Values("starttls", "direct", "none"),
                         [](auto const& test) { return std::string(test.param); });

// What one side gets is byte for byte what the other sent, before and after authentication.
TEST_P(DoorTest, NothingChanges) {
    TestGate const gate(upstream_, "");
    for (unsigned seed = 1; seed <= 8; ++seed) {
        filters::RandomStream random(seed);
        Session session(gate, upstream_, GetParam());
        auto& client = session.client;
        auto& upstream = session.upstream;
        auto const up = [&](const std::string& text) {
            std::thread speaker([&] {
                in_pieces(random, text, [&](std::string_view piece) { client.say(piece); });
            });
            ASSERT_TRUE(hear(upstream, text.size()) == text) << seed;
            speaker.join();
        };
        auto const down = [&](const std::string& text) {
            std::thread speaker([&] {
                in_pieces(random, text, [&](std::string_view piece) { say(upstream, piece); });
            });
            ASSERT_TRUE(client.hear(text.size()) == text) << seed;
            speaker.join();
        };
        auto const header = random.client_header();
        client.say(header);
        upstream = upstream_.accept();
        ASSERT_EQ(hear(upstream, header.size()), header);
        down(random.upstream_header() + random.features());
        for (int i = 0; i < 10; ++i) {
            std::string said;
            for (int j = 0; j < 3; ++j) said += random.filler() + random.element();
            i % 2 == 0 ? up(said) : down(said);
        }
        session.authenticate();
        for (int i = 0; i < 6; ++i) {
            auto const noise = random.noise(random.below(200'000));
            i % 2 == 0 ? up(noise) : down(noise);
        }
    }
}

TEST_P(DoorTest, RegistrationNeverReachesTheUpstream) {
    TestGate const gate(upstream_, "");
    Session session(gate, upstream_, GetParam());
    session.open();
    std::string const request =
        "<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>u</username></query>"
        "</iq>";
    std::string const other = "<message id='m'/>";
    for (std::size_t cut = 1; cut < request.size(); cut += 5) {
        session.client.say(request.substr(0, cut));
        session.client.say(request.substr(cut) + other);
        EXPECT_NE(session.client.hear_until("</iq>").find("not-authorized"), std::string::npos);
        EXPECT_EQ(hear(session.upstream, other.size()), other);
    }
}

// One line for each session that was let in, however it ended.
TEST_P(DoorTest, EverySessionEndsOnce) {
    TestGate gate(upstream_, "");
    std::vector<Session> sessions;
    for (int i = 0; i < 6; ++i) {
        sessions.emplace_back(gate, upstream_, GetParam());
        if (i > 0) sessions.back().open();
        if (i > 1) sessions.back().authenticate();
    }
    sessions[0].client.say_no_more();            // before its header
    sessions[1].client.say("<not well-formed");  // and never complete
    sessions[2].client.say_no_more();            // both sides, one after the other
    sessions[3].upstream.reset();
    testing::reset(std::move(sessions[4].upstream));
    testing::reset(std::move(sessions[5].client.fd()));
    EXPECT_EQ(hear_to_end(sessions[2].upstream), "");
    sessions[2].upstream.reset();
    EXPECT_EQ(sessions[3].client.hear_to_end(), "");
    sessions[3].client.say_no_more();
    EXPECT_EQ(sessions[4].client.hear_to_end(), "");
    EXPECT_EQ(hear_to_end(sessions[5].upstream), "");
    gate.worker().drain(1ms);
    auto const ends = events(gate.join(), "session_end");
    ASSERT_EQ(ends.size(), sessions.size());
    for (int i = 1; i <= 6; ++i) {
        auto const id = " session=0-" + std::to_string(i) + ' ';
        EXPECT_EQ(std::count_if(ends.begin(), ends.end(),
                                [&](auto const& end) { return end.find(id) != std::string::npos; }),
                  1)
            << id;
    }
}

TEST_F(WorkerTest, DrainingTellsWhoIsNotAuthenticatedAndWaitsForTheOthers) {
    TestGate gate(upstream_, "");
    Session negotiating(gate, upstream_, "direct");
    Session relaying(gate, upstream_, "direct");
    negotiating.open();
    relaying.open();
    relaying.authenticate();
    gate.worker().drain(1h);
    EXPECT_NE(negotiating.client.hear_to_end().find("<system-shutdown"), std::string::npos);
    EXPECT_EQ(hear_to_end(negotiating.upstream), "");
    negotiating.client.say_no_more();
    EXPECT_TRUE(eventually([&] { return !gate.dial("direct"); }));
    relaying.client.say("still here");
    EXPECT_EQ(hear(relaying.upstream, 10), "still here");
    relaying.client.say_no_more();
    EXPECT_EQ(hear_to_end(relaying.upstream), "");
    relaying.upstream.reset();
    auto const ends = events(gate.join(), "session_end");
    ASSERT_EQ(ends.size(), 2U);
    EXPECT_NE(ends[0].find("why=drained"), std::string::npos) << ends[0];
    EXPECT_NE(ends[1].find("why=client_closed"), std::string::npos) << ends[1];
}

// Clients that do not answer are left behind, and accounted for.
TEST_F(WorkerTest, DrainEndsWithClientsThatDoNotAnswer) {
    TestGate gate(upstream_, "");
    std::vector<Session> sessions;
    for (int i = 0; i < 4; ++i) {
        sessions.emplace_back(gate, upstream_, i % 2 == 0 ? "direct" : "none");
        sessions.back().open();
        if (i > 1) sessions.back().authenticate();
    }
    gate.worker().drain(10ms);
    auto const ends = events(gate.join(), "session_end");
    ASSERT_EQ(ends.size(), 4U);
    for (auto const& end : ends) EXPECT_NE(end.find("why=drained"), std::string::npos) << end;
}

TEST_F(WorkerTest, TruncatedHandshakesEndAtOnce) {
    TestGate gate(upstream_, "limits.handshake_timeout = '1h'\n");
    for (std::size_t const size : {0U, 1U, 50U}) {
        auto const fd = gate.dial("direct");
        say_last(fd, TlsClient("example.org").handshake().substr(0, size));
        EXPECT_EQ(hear_to_end(fd).find('\x16'), std::string::npos);
    }
    gate.worker().drain(1ms);
    auto const ends = events(gate.join(), "session_end");
    ASSERT_EQ(ends.size(), 3U);
    for (auto const& end : ends)
        EXPECT_NE(end.find("why=handshake_failed"), std::string::npos) << end;
}

// Half a record, and the end of the connection in one event: nothing more will wake the session.
TEST_F(WorkerTest, TruncatedRecordEndsTheNegotiationAtOnce) {
    TestGate gate(upstream_, "limits.negotiation_timeout = '1h'\n");
    for (int i = 0; i < 5; ++i) {
        TlsConnection client(gate.dial("direct"), "example.org");
        ASSERT_TRUE(client.handshake());
        auto const record = client.tls().encrypt(client_header);
        say_last(client.fd(), std::string_view(record).substr(0, 50));
        client.hear_to_end();
        EXPECT_TRUE(client.tls().told_end()) << i;
    }
}

TEST_F(WorkerTest, ForgedRecordEndsTheSessionAtOnce) {
    TestGate gate(upstream_, "");
    TlsConnection client(gate.dial("direct"), "example.org");
    ASSERT_TRUE(client.handshake());
    client.say(client_header);
    auto const upstream = upstream_.accept();
    EXPECT_EQ(hear(upstream, client_header.size()), client_header);
    say(upstream, upstream_opening);
    EXPECT_EQ(client.hear(upstream_opening.size()), upstream_opening);
    client.say(auth);
    EXPECT_EQ(hear(upstream, auth.size()), auth);
    say(upstream, success);
    EXPECT_EQ(client.hear(success.size()), success);
    auto record = client.tls().encrypt("forged");
    record.back() = static_cast<char>(record.back() ^ 1);
    say(client.fd(), record);
    EXPECT_EQ(hear_to_end(upstream), "");
    client.hear_to_end();
    client.fd().reset();
    // the upstream has not closed, and need not: nothing can be said to the client any more
    gate.worker().drain(1h);
    auto const ends = events(gate.join(), "session_end");
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_NE(ends[0].find("why=network_error"), std::string::npos) << ends[0];
}

// What a client said before it closed reaches an upstream that says no more itself and is slow. The
// end comes in one read with the last bytes, which the upstream does not take yet.
TEST_F(WorkerTest, LastWordsReachASlowUpstreamThatHalfClosed) {
    TestUpstream const slow(8192);
    TestGate const gate(slow, "");
    SmallBuffers const small(8192);
    for (auto const* const door : {"none", "direct"}) {
        Session session(gate, slow, door);
        session.open();
        session.authenticate();
        say_no_more(session.upstream);
        EXPECT_EQ(session.client.hear(1), "");
        std::string const said(60'000, 'x');
        session.client.say_last(said);
        std::this_thread::sleep_for(50ms);  // the gate has read it all, and cannot write
        EXPECT_EQ(hear_to_end(session.upstream).size(), said.size()) << door;
    }
}

TEST_F(WorkerTest, LastWordsReachASlowClientThatHalfClosed) {
    TestGate const gate(upstream_, "", {.send = 8192});
    for (auto const* const door : {"none", "direct"}) {
        Session session(gate, upstream_, door);
        session.open();
        session.authenticate();
        session.client.say_no_more();
        EXPECT_EQ(hear_to_end(session.upstream), "");
        std::string const said(1'000'000, 'x');
        std::thread speaker([&] {
            say(session.upstream, said);
            session.upstream.reset();
        });
        std::this_thread::sleep_for(50ms);
        EXPECT_EQ(session.client.hear_to_end().size(), said.size()) << door;
        speaker.join();
    }
}

// The end of the upstream stands behind what the client does not take, and is never reached.
TEST_F(WorkerTest, AnUpstreamThatClosedIsNotWaitedForByAClientThatDoesNotRead) {
    for (auto const* const door : {"none", "direct"}) {
        TestGate gate(upstream_, "", {.send = 8192});
        Session session(gate, upstream_, door);
        session.open();
        session.authenticate();
        std::string const said(4096, 'x');
        gate.say_until_stuck(Direction::to_client, [&] {
            say(session.upstream, said);
            return said.size();
        });
        session.upstream.reset();
        EXPECT_TRUE(gate.ends_in_time(SessionEnd::upstream_closed)) << door;
    }
}

// An unauthenticated client that sends without end takes turns with the others.
TEST_F(WorkerTest, FloodBeforeAuthenticationStarvesNobody) {
    TestGate const gate(upstream_, "", {.receive = 1 << 20});
    Session flood(gate, upstream_, "none");
    flood.open();
    std::atomic<bool> done = false;
    std::thread speaker([&] {
        std::string block;  // takes longer to look at than to send
        for (int i = 0; i < 100'000; ++i) block += "<a/>";
        while (!done) flood.client.say(block);
        flood.client.say_no_more();
    });
    std::atomic<std::size_t> passed = 0;  // of the flood
    std::thread drain([&] {
        for (std::size_t size = 1; size != 0;) {
            size = hear(flood.upstream, 1 << 16).size();
            passed += size;
        }
    });
    auto const before = passed.load();
    for (int i = 0; i < 5; ++i) {
        Session other(gate, upstream_, "direct");
        other.open();
    }
    // A session needs some ten turns, and the flood gets 256 KiB in each; the rest is what the
    // sockets hold.
    EXPECT_LT(passed - before, std::size_t{100} << 20);
    done = true;
    speaker.join();
    drain.join();
}

}  // namespace
}  // namespace stanzagate::proxy
