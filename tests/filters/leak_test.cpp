#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "tests/filters/framing.hpp"
#include "tests/filters/gate_driver.hpp"
#include "tests/filters/leak_situations.hpp"
#include "tests/filters/registration_corpus.hpp"
#include "tests/filters/splits.hpp"
#include "tests/filters/test_config.hpp"

// Nothing leaks: whatever way a registration request is written, and in whatever state and pieces
// it comes, an upstream that records every byte sees none of one that was not forwarded, and the
// client has an answer to each.
namespace stanzagate::filters {
namespace {

const std::string upstream_header =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "from='example.org' id='up' version='1.0'>";
const std::string features =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    "<mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const std::string after = "<presence id='after'/>";

struct Played {
    std::string upstream;
    std::string client;
    std::string broken_promise;
};

Played play(const Policy& policy, std::string_view peer, const Situation& situation,
            const std::vector<std::string>& requests,
            const std::function<Pieces(std::string_view)>& cut) {
    GateDriver driver(policy, peer_at(peer));
    auto const send = [&](Side side, const std::string& bytes) {
        for (auto const piece : cut(bytes)) driver.send(side, piece);
    };
    std::string bytes = situation.lead;
    for (auto const& request : requests) bytes += request;
    bytes += after;
    send(Side::client, situation.with_header ? corpus_header + bytes : corpus_header);
    send(Side::upstream, upstream_header + features);
    if (!situation.with_header) send(Side::client, bytes);
    send(Side::upstream, situation.reply);
    send(Side::upstream, situation.second_reply);
    return {driver.got(Side::upstream), driver.got(Side::client), driver.broken_promise};
}

std::string hidden_from_upstream(const Situation& situation) {
    return corpus_header + situation.lead + after;
}

// The gate's own answers among what the client got.
std::vector<KeptFrame> answers(const std::string& client) {
    std::vector<KeptFrame> found;
    auto const framing = frame_up({client});
    EXPECT_EQ(framing.error, std::nullopt) << client;
    EXPECT_EQ(framing.rest, "");
    for (auto const& frame : framing.frames)
        if (frame.raw.starts_with("<iq xmlns='jabber:client' type='")) found.push_back(frame);
    return found;
}

void expect_answered(const CorpusRequest& request, bool is_refused, const std::string& client) {
    auto const found = answers(client);
    ASSERT_EQ(found.size(), 1U) << request.xml << "\n" << client;
    EXPECT_EQ(found[0].attributes.id, request.id) << request.xml;
    EXPECT_EQ(found[0].attributes.from, request.to) << request.xml;
    bool const bad_request = found[0].raw.find("<bad-request ") != std::string::npos;
    EXPECT_EQ(bad_request, is_refused) << request.xml << "\n" << found[0].raw;
}

Pieces whole(std::string_view bytes) {
    return {bytes};
}

class Leak : public testing::TestWithParam<Situation> {
protected:
    config::Config config_ = config_of();
    Policy policy_{config_};
};

TEST_P(Leak, NoByteOfAStrangersRequest) {
    auto const& situation = GetParam();
    auto const hidden = hidden_from_upstream(situation);
    unsigned seed = 0;
    for (auto const& request : registration_corpus(300, 1)) {
        auto const played = play(policy_, stranger, situation, {request.xml}, whole);
        ASSERT_EQ(played.upstream, hidden) << request.xml;
        ASSERT_EQ(played.broken_promise, "");
        expect_answered(request, request.ambiguous, played.client);
        if (testing::Test::HasFailure()) return;

        std::mt19937 random(++seed);
        for (int i = 0; i < 3; ++i) {
            auto const split = play(policy_, stranger, situation, {request.xml}, [&](auto bytes) {
                return i == 0 ? pieces_of(bytes, 1) : random_pieces(bytes, random);
            });
            ASSERT_EQ(split.upstream, hidden) << request.xml;
            ASSERT_EQ(split.client, played.client) << request.xml;
            ASSERT_EQ(split.broken_promise, "");
        }
    }
}

// The other way round: who is on the list registers as if no gate stood here.
TEST_P(Leak, EveryByteOfAFriendsRequest) {
    auto const& situation = GetParam();
    unsigned seed = 0;
    for (auto const& request : registration_corpus(300, 2)) {
        bool const is_refused = request.ambiguous || (request.misleading && request.at_home);
        bool const passes = !is_refused && request.at_home;
        auto const expected = passes ? corpus_header + situation.lead + request.xml + after
                                     : hidden_from_upstream(situation);
        std::mt19937 random(++seed);
        for (int i = 0; i < 3; ++i) {
            auto const played = play(
                policy_, whitelisted, situation, {request.xml},
                [&](auto bytes) { return i == 0 ? Pieces{bytes} : random_pieces(bytes, random); });
            ASSERT_EQ(played.upstream, expected) << request.xml;
            if (passes) {
                EXPECT_TRUE(answers(played.client).empty()) << request.xml;
            } else {
                expect_answered(request, is_refused, played.client);
            }
        }
        if (testing::Test::HasFailure()) return;
    }
}

TEST_P(Leak, ManyRequestsInARow) {
    auto const& situation = GetParam();
    auto const corpus = registration_corpus(400, 3);
    std::mt19937 random(3);
    for (std::size_t first = 0; first + 8 <= corpus.size(); first += 8) {
        std::vector<std::string> requests;
        for (std::size_t i = first; i < first + 8; ++i) requests.push_back(corpus[i].xml);
        auto const played = play(policy_, stranger, situation, requests,
                                 [&](auto bytes) { return random_pieces(bytes, random); });
        ASSERT_EQ(played.upstream, hidden_from_upstream(situation));
        auto const found = answers(played.client);
        ASSERT_EQ(found.size(), requests.size());
        for (std::size_t i = 0; i < found.size(); ++i)
            EXPECT_EQ(found[i].attributes.id, corpus[first + i].id);
    }
}

TEST_P(Leak, NotOneSplitMatters) {
    auto const& situation = GetParam();
    auto const corpus = registration_corpus(0, 0);
    auto const hidden = hidden_from_upstream(situation);
    for (std::size_t const index : {std::size_t{3}, std::size_t{20}, corpus.size() - 4}) {
        auto const& request = corpus.at(index);
        auto const expected = play(policy_, stranger, situation, {request.xml}, whole);
        for (std::size_t size = 1; size < 700; ++size) {
            auto const played = play(policy_, stranger, situation, {request.xml},
                                     [&](auto bytes) { return pieces_of(bytes, size); });
            ASSERT_EQ(played.upstream, hidden) << size << " " << request.xml;
            ASSERT_EQ(played.client, expected.client) << size << " " << request.xml;
        }
    }
}

// What is no request must not be held back for looking like one.
TEST_P(Leak, LookalikesPass) {
    for (auto const& element : lookalikes()) {
        auto const played = play(policy_, stranger, GetParam(), {element}, whole);
        std::string expected = corpus_header;
        EXPECT_EQ(played.upstream, expected.append(GetParam().lead).append(element).append(after));
        EXPECT_TRUE(answers(played.client).empty()) << element;
    }
}

INSTANTIATE_TEST_SUITE_P(Gate, Leak, testing::ValuesIn(situations()),
                         [](auto const& suite) { return std::string(suite.param.name); });

// A stream whose default namespace is that of streams (RFC 6120 section 4.8.2).
TEST(LeakByHeader, StreamsAsTheDefaultNamespace) {
    auto const config = config_of();
    Policy const policy(config);
    std::string const header =
        "<stream xmlns='http://etherx.jabber.org/streams' xmlns:hr='jabber:iq:register' "
        "xmlns:hc='jabber:client' to='example.org'>";
    for (auto const& request : registration_corpus(200, 4)) {
        if (request.xml.find("stream:iq") != std::string::npos) continue;
        for (std::size_t const size : {std::size_t{10000}, std::size_t{1}, std::size_t{13}}) {
            GateDriver driver(policy, peer_at(stranger));
            auto bytes = header;
            bytes.append(request.xml).append(after);
            for (auto const piece : pieces_of(bytes, size)) driver.send(Side::client, piece);
            driver.send(Side::upstream, "<stream xmlns='http://etherx.jabber.org/streams' id='1'>");
            ASSERT_EQ(driver.got(Side::upstream), header + after) << request.xml;
            expect_answered(request, request.ambiguous, driver.got(Side::client));
        }
    }
}

// The first-level element of XEP-0389 ends the stream, in any situation.
TEST(LeakByFlow, FirstLevelRegister) {
    auto const config = config_of();
    Policy const policy(config);
    for (auto const& situation : situations()) {
        for (auto const& flow : {"<register xmlns='urn:xmpp:register:0'><flow id='0'/></register>",
                                 "<r:register xmlns:r='urn:xmpp:register:&#48;'/>"}) {
            for (std::size_t const size : {std::size_t{10000}, std::size_t{1}, std::size_t{13}}) {
                auto const played = play(policy, stranger, situation, {flow},
                                         [&](auto bytes) { return pieces_of(bytes, size); });
                EXPECT_EQ(played.upstream, corpus_header + situation.lead) << situation.name;
                EXPECT_NE(played.client.find("<invalid-flow "), std::string::npos);
                EXPECT_TRUE(played.client.ends_with("</stream:stream>"));
            }
        }
    }
}

}  // namespace
}  // namespace stanzagate::filters
