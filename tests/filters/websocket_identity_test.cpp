#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "filters/websocket_reader.hpp"
#include "filters/websocket_writer.hpp"
#include "tests/filters/canonical.hpp"
#include "tests/filters/random_stream.hpp"
#include "tests/filters/splits.hpp"

// Random streams through the WebSocket translation: what is said stays what it was, both ways.
namespace stanzagate::filters {
namespace {

constexpr FrameLimits wide{.frame_bytes = 1U << 24U, .depth = 100, .attributes = 100};

// Without the language that the writer adds to stanzas of this header (which has none) there is
// nothing that may differ.
class WebsocketIdentity : public testing::TestWithParam<unsigned> {};

TEST_P(WebsocketIdentity, OfTheServersDirection) {
    for (unsigned round = 0; round < 60; ++round) {
        RandomStream random(GetParam() * 1000 + round);
        auto stream = random.upstream_header() + random.features();
        for (auto left = random.below(12); left > 0; --left)
            stream += random.element() + (random.below(3) == 0 ? random.filler() : "");
        auto const expected = canonical_elements(stream);
        WebsocketWriter writer;
        std::vector<std::string> got;
        for (auto const piece : random_pieces(stream, random.generator()))
            for (auto const& message : writer.write(piece)) got.push_back(message.text);
        ASSERT_FALSE(writer.failed()) << stream;
        ASSERT_EQ(got.size(), expected.size() + 1);
        for (std::size_t i = 0; i < expected.size(); ++i)
            ASSERT_EQ(canonical(got[i + 1]), expected[i]) << got[i + 1];
    }
}

TEST_P(WebsocketIdentity, OfTheClientsDirection) {
    for (unsigned round = 0; round < 60; ++round) {
        RandomStream random(GetParam() * 1000 + round);
        WebsocketReader reader(wide);
        auto const header =
            reader.read("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org'/>");
        ASSERT_TRUE(header);
        for (auto left = random.below(12); left > 0; --left) {
            auto const element = random.element();
            ASSERT_EQ(reader.read(element), element);
        }
    }
}

// What the writer makes of a stream, the reader takes, and the stream is what it was.
TEST_P(WebsocketIdentity, ThereAndBack) {
    for (unsigned round = 0; round < 60; ++round) {
        RandomStream random(GetParam() * 1000 + round);
        auto stream = random.upstream_header();
        for (auto left = random.below(12); left > 0; --left) stream += random.element();
        WebsocketWriter writer;
        WebsocketReader reader(wide);
        std::string back;
        for (auto const& message : writer.write(stream)) {
            auto const bytes = reader.read(message.text);
            ASSERT_TRUE(bytes) << message.text;
            back += *bytes;
        }
        ASSERT_EQ(canonical_elements(back), canonical_elements(stream));
    }
}

INSTANTIATE_TEST_SUITE_P(Websocket, WebsocketIdentity, testing::Range(1U, 6U));

}  // namespace
}  // namespace stanzagate::filters
