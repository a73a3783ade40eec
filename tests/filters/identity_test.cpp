#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/filters/gate_driver.hpp"
#include "tests/filters/random_stream.hpp"
#include "tests/filters/splits.hpp"
#include "tests/filters/test_config.hpp"

// Nothing changes: for random valid streams in random pieces, the sides taking turns at random,
// what one side gets is byte for byte what the other sent, and at once, before and after
// authentication.
namespace stanzagate::filters {
namespace {

// What one side sends, and where its elements end: so far it must have got through.
struct Script {
    std::string bytes;
    std::vector<std::size_t> ends{0};

    void add(const std::string& frame) {
        bytes += frame;
        ends.push_back(bytes.size());
    }
    void add_elements(RandomStream& random) {
        for (auto left = random.below(12); left > 0; --left) {
            add(random.element());
            if (random.below(3) == 0)
                for (char const c : random.filler()) add({c});
        }
    }
    std::size_t whole_within(std::size_t sent) const {
        return *(std::upper_bound(ends.begin(), ends.end(), sent) - 1);
    }
};

constexpr const char* as_it_comes =
    "[registration]\nurl = 'https://example.org/'\nadvertise = 'upstream'\nwhitelist = []\n";

// Plays both scripts in random pieces and turns. Empty, or what did not come through.
std::string exchange(GateDriver& driver, const Script& client, const Script& upstream,
                     RandomStream& random, std::size_t client_before, std::size_t upstream_before) {
    auto from_client = random_pieces(client.bytes, random.generator());
    auto from_upstream = random_pieces(upstream.bytes, random.generator());
    std::reverse(from_client.begin(), from_client.end());
    std::reverse(from_upstream.begin(), from_upstream.end());
    std::size_t client_sent = 0;
    std::size_t upstream_sent = 0;
    while (!from_client.empty() || !from_upstream.empty()) {
        bool const client_turn =
            from_upstream.empty() || (!from_client.empty() && random.below(2) == 0);
        auto& pieces = client_turn ? from_client : from_upstream;
        (client_turn ? client_sent : upstream_sent) += pieces.back().size();
        driver.send(client_turn ? Side::client : Side::upstream, pieces.back());
        pieces.pop_back();

        auto const& up = driver.got(Side::upstream);
        auto const& down = driver.got(Side::client);
        if (up.size() < client_before + client.whole_within(client_sent)) return "late upstream";
        if (down.size() < upstream_before + upstream.whole_within(upstream_sent))
            return "late to the client: " + down;
    }
    return "";
}

class Identity : public testing::TestWithParam<unsigned> {};

TEST_P(Identity, OfRandomStreams) {
    auto const config = config_of(as_it_comes);
    Policy const policy(config);
    for (unsigned round = 0; round < 40; ++round) {
        RandomStream random(GetParam() * 1000 + round);
        GateDriver driver(policy, peer_at(stranger));
        Script client_header;
        client_header.add(random.client_header());
        Script upstream_header;
        upstream_header.add(random.upstream_header());
        upstream_header.add(random.features());
        ASSERT_EQ(exchange(driver, client_header, {}, random, 0, 0), "") << client_header.bytes;
        ASSERT_EQ(exchange(driver, {}, upstream_header, random, 0, 0), "") << upstream_header.bytes;

        // Negotiating.
        Script client;
        Script upstream;
        client.add_elements(random);
        upstream.add_elements(random);
        auto const client_before = client_header.bytes.size();
        auto const upstream_before = upstream_header.bytes.size();
        ASSERT_EQ(exchange(driver, client, upstream, random, client_before, upstream_before), "")
            << client.bytes << "\n---\n"
            << upstream.bytes;

        // Authenticating: what the client says too early comes through with the success.
        bool const sasl2 = random.below(2) == 0;
        std::string const ns = sasl2 ? "urn:xmpp:sasl:2" : "urn:ietf:params:xml:ns:xmpp-sasl";
        Script auth;
        auth.add("<authenticate xmlns='" + ns + "'/>");
        auto const early = random.below(2) == 0 ? random.noise(200) : random.element();
        Script success;
        success.bytes = random.element() + "<success xmlns='" + ns + "'>x</success >";
        success.ends.push_back(success.bytes.size());
        success.bytes += random.noise(100);
        for (auto const piece : random_pieces(auth.bytes, random.generator()))
            driver.send(Side::client, piece);
        for (auto const piece : random_pieces(early, random.generator()))
            driver.send(Side::client, piece);
        auto const negotiated = client_header.bytes + client.bytes + auth.bytes;
        ASSERT_EQ(driver.got(Side::upstream), negotiated);
        for (auto const piece : random_pieces(success.bytes, random.generator()))
            driver.send(Side::upstream, piece);
        ASSERT_TRUE(driver.relaying());

        // Relaying.
        auto const from_client = random.noise(300);
        auto const from_upstream = random.noise(300);
        driver.send(Side::client, from_client);
        driver.send(Side::upstream, from_upstream);
        auto expected = negotiated;
        ASSERT_EQ(driver.got(Side::upstream), expected.append(early).append(from_client));
        expected = upstream_header.bytes;
        expected.append(upstream.bytes).append(success.bytes).append(from_upstream);
        ASSERT_EQ(driver.got(Side::client), expected);
        ASSERT_EQ(driver.broken_promise, "");
        ASSERT_TRUE(driver.registrations.empty());
    }
}

INSTANTIATE_TEST_SUITE_P(Gate, Identity, testing::Range(1U, 11U));

// All at once, before the upstream is even there.
TEST(IdentityPipelined, TheWholeClientStreamInOnePiece) {
    auto const config = config_of(as_it_comes);
    Policy const policy(config);
    for (unsigned seed = 1; seed <= 100; ++seed) {
        RandomStream random(seed);
        Script client;
        client.add(random.client_header());
        client.add_elements(random);
        auto const name = client.bytes.find(":stream");
        auto const begin = client.bytes.rfind('<', name) + 1;
        client.add("</" + client.bytes.substr(begin, name - begin) + ":stream>");
        GateDriver driver(policy, peer_at(stranger));
        for (auto const piece :
             seed % 3 == 0 ? random_pieces(client.bytes, random.generator()) : Pieces{client.bytes})
            driver.send(Side::client, piece);
        ASSERT_EQ(driver.got(Side::upstream), client.bytes);
        ASSERT_EQ(driver.stream_error, std::nullopt);
    }
}

}  // namespace
}  // namespace stanzagate::filters
