#include <gtest/gtest.h>

#include <cstddef>
#include <ostream>
#include <string>

#include "filters/stanza_framer.hpp"
#include "tests/filters/allocated.hpp"

namespace stanzagate::filters {
namespace {

constexpr std::size_t kib = 1024;

struct Large {
    const char* name;
    std::string stanza;
    std::size_t kept_at_most;
};

std::ostream& operator<<(std::ostream& out, const Large& large) {
    return out << large.name;
}

// A session over WebSocket or BOSH has a framer for life.
class FramerMemory : public testing::TestWithParam<Large> {};

TEST_P(FramerMemory, IsNotKeptForWhatWasLargeOnce) {
    StanzaFramer framer(upstream_limits);
    framer.feed(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>");
    EXPECT_TRUE(framer.next());
    framer.feed("<message><body>small</body></message>");
    EXPECT_TRUE(framer.next());
    EXPECT_FALSE(framer.next());
    auto const before = allocated();
    for (int i = 0; i < 3; ++i) {
        framer.feed(GetParam().stanza);
        auto const* const frame = framer.next();
        ASSERT_TRUE(frame);
        EXPECT_EQ(frame->raw, GetParam().stanza);
        EXPECT_FALSE(framer.next());
        EXPECT_LE(allocated(), before + GetParam().kept_at_most);
    }
}

std::string repeated(std::string_view text, std::size_t size) {
    std::string all;
    while (all.size() < size) all += text;
    return all;
}

INSTANTIATE_TEST_SUITE_P(
    Of, FramerMemory,
    testing::Values(
        Large{"text", "<message><body>" + std::string(200 * kib, 'a') + "</body></message>",
              20 * kib},
        Large{"elements", "<message>" + repeated("<a b='c'>d</a>", 200 * kib) + "</message>",
              20 * kib},
        // Expat has to hold all of a token.
        Large{"attribute", "<message to='" + std::string(20 * kib, 'a') + "'/>", 80 * kib}),
    testing::PrintToStringParamName());

}  // namespace
}  // namespace stanzagate::filters
