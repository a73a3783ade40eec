#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "tests/filters/carried_session.hpp"
#include "tests/filters/leak_situations.hpp"
#include "tests/filters/registration_corpus.hpp"
#include "tests/filters/test_config.hpp"

// The corpora of leak_test.cpp, in its situations, by the other doors: what reaches the upstream
// and what the client is answered is what it is on TCP.
namespace stanzagate::filters {
namespace {

const std::string upstream_header =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "from='example.org' id='up' version='1.0'>";
const std::string features =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    "<mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const std::string after = "<presence id='after'/>";

using Case = std::tuple<Situation, ClientDoor>;

class CarriedLeak : public testing::TestWithParam<Case> {
protected:
    // Empty, or what is not as on TCP.
    std::string play(std::string_view peer, const std::string& request) const {
        auto const& [situation, door] = GetParam();
        GateDriver on_tcp(policy_, peer_at(peer));
        GateDriver here(policy_, peer_at(peer));
        auto const carried = carried_session(door, here, config_.limits);
        auto const client = [&](const std::string& bytes) {
            on_tcp.send(Side::client, bytes);
            carried->client_sends(bytes);
        };
        auto const upstream = [&](const std::string& bytes) {
            on_tcp.send(Side::upstream, bytes);
            here.send(Side::upstream, bytes);
            carried->settle();
        };
        auto const said = situation.lead + request + after;
        client(situation.with_header ? corpus_header + said : corpus_header);
        upstream(upstream_header + features);
        if (!situation.with_header) client(said);
        upstream(situation.reply);
        upstream(situation.second_reply);
        auto const what = carried->compare(Side::upstream, on_tcp.take(Side::upstream));
        return what.empty() ? carried->compare(Side::client, on_tcp.take(Side::client)) : what;
    }

    config::Config config_ = config_of();
    Policy policy_{config_};
};

TEST_P(CarriedLeak, AStrangersRequests) {
    for (auto const& request : registration_corpus(100, 1))
        ASSERT_EQ(play(stranger, request.xml), "") << request.xml;
}

TEST_P(CarriedLeak, AFriendsRequests) {
    for (auto const& request : registration_corpus(100, 2))
        ASSERT_EQ(play(whitelisted, request.xml), "") << request.xml;
}

TEST_P(CarriedLeak, Lookalikes) {
    for (auto const& element : lookalikes()) ASSERT_EQ(play(stranger, element), "") << element;
}

INSTANTIATE_TEST_SUITE_P(Doors, CarriedLeak,
                         testing::Combine(testing::ValuesIn(situations()),
                                          testing::Values(ClientDoor::websocket, ClientDoor::bosh)),
                         [](auto const& suite) {
                             bool const bosh = std::get<1>(suite.param) == ClientDoor::bosh;
                             return std::string(std::get<0>(suite.param).name) +
                                    (bosh ? "_over_bosh" : "_over_websocket");
                         });

}  // namespace
}  // namespace stanzagate::filters
