#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/filters/bosh_client.hpp"
#include "tests/filters/canonical.hpp"
#include "tests/filters/random_stream.hpp"
#include "tests/filters/splits.hpp"

// Random streams through a BOSH session: what is said stays what it was, both ways.
namespace stanzagate::filters {
namespace {

// The elements inside of a <body/>, as a stream's reader would see them.
std::vector<std::string> elements_of(const std::string& body) {
    return canonical_elements(body);
}

class BoshIdentity : public testing::TestWithParam<unsigned> {};

TEST_P(BoshIdentity, OfTheServersDirection) {
    for (unsigned round = 0; round < 40; ++round) {
        RandomStream random(GetParam() * 1000 + round);
        auto stream = random.upstream_header() + random.features();
        for (auto left = random.below(12); left > 0; --left) stream += random.element();
        BoshClient client;
        std::vector<std::string> got;
        auto pending = client.create("ver='1.6' hold='1'");
        unsigned rid = 0;
        for (auto const piece : random_pieces(stream, random.generator())) {
            client.server(piece);
            auto const answer = client.answer(pending);
            if (!answer) continue;
            for (auto& element : elements_of(*answer)) got.push_back(std::move(element));
            pending = client.send_rid(++rid);
        }
        ASSERT_EQ(got, canonical_elements(stream));
        ASSERT_EQ(client.broken_promise, "");
    }
}

TEST_P(BoshIdentity, OfTheClientsDirection) {
    for (unsigned round = 0; round < 40; ++round) {
        RandomStream random(GetParam() * 1000 + round);
        BoshClient client;
        client.create("ver='1.6' hold='1'");
        std::string said = client.take_upstream();
        client.server(std::string(bosh_server_header) + std::string(bosh_server_features));
        auto stream = said;
        for (unsigned rid = 1; rid < 6; ++rid) {
            std::string payload;
            for (auto left = random.below(4); left > 0; --left) {
                auto const element = random.element();
                said += element;
                payload += random.filler() + element;
            }
            client.pass(std::chrono::seconds(3));
            client.send_rid(rid, "", payload);
            stream += client.take_upstream();
        }
        ASSERT_EQ(stream, said);
        ASSERT_EQ(client.broken_promise, "");
    }
}

INSTANTIATE_TEST_SUITE_P(Bosh, BoshIdentity, testing::Range(1U, 6U));

}  // namespace
}  // namespace stanzagate::filters
