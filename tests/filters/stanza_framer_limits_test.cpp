#include <gtest/gtest.h>

#include <string>

#include "tests/filters/framing.hpp"

// Limits are inclusive, hold for every kind of frame, and do not depend on how the bytes are split.
namespace stanzagate::filters {
namespace {

constexpr auto policy_violation = StreamErrorCondition::policy_violation;

std::string opened(std::string_view bytes) {
    return std::string(client_header) + std::string(bytes);
}

std::string stanza_of(std::size_t size) {
    return "<a>" + std::string(size - 7, 'x') + "</a>";
}

std::string empty_element_of(std::size_t size) {
    return "<a b='" + std::string(size - 9, '>') + "'/>";
}

void expect_same_in_splits(const std::string& bytes, const FrameLimits& limits) {
    auto const expected = summary(frame_up({bytes}, limits));
    for (auto const& pieces : every_split(bytes))
        ASSERT_EQ(summary(frame_up(pieces, limits)), expected) << "first: " << pieces.front();
}

TEST(FramerLimits, AStanzaOfExactlyTheLimitPasses) {
    FrameLimits limits;
    limits.frame_bytes = 200;
    for (auto const& bytes : {stanza_of(200), empty_element_of(200)}) {
        auto const framing = frame_up({opened(bytes + bytes)}, limits);
        EXPECT_EQ(framing.error, std::nullopt);
        EXPECT_EQ(framing.frames.size(), 3U);
        expect_same_in_splits(opened(bytes + bytes), limits);
    }
}

TEST(FramerLimits, OneByteMoreDoesNot) {
    FrameLimits limits;
    limits.frame_bytes = 200;
    for (auto const& bytes : {stanza_of(201), empty_element_of(201)}) {
        auto const framing = frame_up({opened("<b/>" + bytes + "<c/>")}, limits);
        EXPECT_EQ(framing.error, policy_violation);
        EXPECT_TRUE(framing.too_big);
        EXPECT_EQ(framing.joined(), opened("<b/>"));
        expect_same_in_splits(opened("<b/>" + bytes), limits);
    }
}

TEST(FramerLimits, AnUnfinishedStanzaFailsWithTheFirstByteTooMany) {
    FrameLimits limits;
    limits.frame_bytes = 200;
    StanzaFramer framer(limits);
    framer.feed(opened("<a>" + std::string(197, 'x')));
    while (framer.next()) {
    }
    EXPECT_EQ(framer.error(), std::nullopt);
    framer.feed("x");
    EXPECT_EQ(framer.next(), nullptr);
    EXPECT_EQ(framer.error(), policy_violation);
    EXPECT_TRUE(framer.too_big());
}

TEST(FramerLimits, HoldForTheHeader) {
    FrameLimits limits;
    limits.frame_bytes = client_header.size();
    auto const fits = frame_up({opened("<a/>")}, limits);
    EXPECT_EQ(fits.error, std::nullopt);
    EXPECT_EQ(fits.frames.size(), 2U);
    expect_same_in_splits(opened("<a/>"), limits);

    --limits.frame_bytes;
    auto const too_long = frame_up({opened("<a/>")}, limits);
    EXPECT_EQ(too_long.error, policy_violation);
    EXPECT_TRUE(too_long.too_big);
    EXPECT_EQ(too_long.joined(), "");
    expect_same_in_splits(opened("<a/>"), limits);
}

TEST(FramerLimits, HoldForSpaceBeforeTheHeader) {
    FrameLimits limits;
    limits.frame_bytes = 300;
    auto const framing = frame_up({std::string(301, ' ')}, limits);
    EXPECT_EQ(framing.error, policy_violation);
    EXPECT_TRUE(framing.too_big);
}

TEST(FramerLimits, HoldForTheClosingTag) {
    FrameLimits limits;
    limits.frame_bytes = 200;
    auto const close = [](std::size_t size) {
        return "</stream:stream" + std::string(size - 16, ' ') + ">";
    };
    EXPECT_EQ(frame_up({opened(close(200))}, limits).error, std::nullopt);
    EXPECT_EQ(frame_up({opened(close(201))}, limits).error, policy_violation);
}

// A chunk may hold much more than one frame may.
TEST(FramerLimits, ManySmallFramesInOneChunk) {
    FrameLimits limits;
    limits.frame_bytes = 200;
    std::string many;
    for (int i = 0; i < 300; ++i) many += i % 3 == 0 ? "<iq type='get'><x/></iq>" : "<a>x</a> \n";
    auto const framing = frame_up({opened(many)}, limits);
    EXPECT_EQ(framing.error, std::nullopt);
    EXPECT_EQ(framing.joined(), opened(many));
    EXPECT_EQ(framing.broken_promise, "");
    auto const bytes = opened(many);
    for (auto const& pieces : some_splits(bytes, 1))
        ASSERT_EQ(frame_up(pieces, limits).joined(), bytes);

    auto const with_a_big_one = frame_up({opened(many + stanza_of(201) + many)}, limits);
    EXPECT_EQ(with_a_big_one.error, policy_violation);
    EXPECT_EQ(with_a_big_one.joined(), opened(many));
}

// Filler before a stanza does not count for it.
TEST(FramerLimits, FillerIsNoPartOfTheNextStanza) {
    FrameLimits limits;
    limits.frame_bytes = 200;
    auto const bytes = opened(std::string(500, ' ') + stanza_of(200) + "\n" + stanza_of(200));
    auto const framing = frame_up({bytes}, limits);
    EXPECT_EQ(framing.error, std::nullopt);
    EXPECT_EQ(framing.joined(), bytes);
    for (auto const& pieces : some_splits(bytes, 2)) {
        auto const split = frame_up(pieces, limits);
        ASSERT_EQ(split.joined(), bytes);
        ASSERT_EQ(split.broken_promise, "");
    }
}

std::string nested(unsigned depth, std::string_view innermost = "") {
    std::string xml;
    for (unsigned i = 0; i < depth; ++i) xml += "<a>";
    xml += innermost;
    for (unsigned i = 0; i < depth; ++i) xml += "</a>";
    return xml;
}

TEST(FramerLimits, DepthCountsTheStanzaAsOne) {
    FrameLimits limits;
    limits.depth = 5;
    for (auto const& fits : {nested(5), nested(4, "<b/><b>x</b>"), nested(5) + nested(5)}) {
        EXPECT_EQ(frame_up({opened(fits)}, limits).error, std::nullopt) << fits;
        expect_same_in_splits(opened(fits), limits);
    }
    for (auto const& too_deep : {nested(6), nested(5, "<b/>"), nested(4, "<b/><b><c/></b>")}) {
        auto const framing = frame_up({opened("<x/>" + too_deep)}, limits);
        EXPECT_EQ(framing.error, policy_violation) << too_deep;
        EXPECT_FALSE(framing.too_big);
        EXPECT_EQ(framing.joined(), opened("<x/>"));
        expect_same_in_splits(opened("<x/>" + too_deep), limits);
    }
    limits.depth = 1;
    EXPECT_EQ(frame_up({opened("<a/><a>x</a>")}, limits).error, std::nullopt);
    EXPECT_EQ(frame_up({opened("<a><b/></a>")}, limits).error, policy_violation);
}

std::string with_attributes(unsigned plain, unsigned declarations) {
    std::string xml = "<a";
    for (unsigned i = 0; i < plain; ++i) xml += " a" + std::to_string(i) + "='x'";
    for (unsigned i = 0; i < declarations; ++i)
        xml += " xmlns:n" + std::to_string(i) + "='urn:" + std::to_string(i) + "'";
    return xml + "/>";
}

TEST(FramerLimits, AttributesIncludeNamespaceDeclarations) {
    FrameLimits limits;
    limits.attributes = 6;
    for (auto const& fits : {with_attributes(6, 0), with_attributes(0, 6), with_attributes(2, 4),
                             "<x>" + with_attributes(3, 3) + with_attributes(6, 0) + "</x>"})
        EXPECT_EQ(frame_up({opened(fits)}, limits).error, std::nullopt) << fits;
    for (auto const& too_many : {with_attributes(7, 0), with_attributes(0, 7),
                                 with_attributes(3, 4), "<x>" + with_attributes(3, 4) + "</x>",
                                 "<a><b><c><d>" + with_attributes(7, 0) + "</d></c></b></a>"}) {
        auto const framing = frame_up({opened("<y/>" + too_many)}, limits);
        EXPECT_EQ(framing.error, policy_violation) << too_many;
        EXPECT_FALSE(framing.too_big);
        EXPECT_EQ(framing.joined(), opened("<y/>"));
        expect_same_in_splits(opened("<y/>" + too_many), limits);
    }
    EXPECT_EQ(frame_up({opened("<a xmlns='x' xml:lang='en' a='' b='' c='' d=''/>")}, limits).error,
              std::nullopt);
    EXPECT_EQ(
        frame_up({opened("<a xmlns='x' xml:lang='en' a='' b='' c='' d='' e=''/>")}, limits).error,
        policy_violation);
}

TEST(FramerLimits, AttributesOfTheHeader) {
    FrameLimits limits;
    limits.attributes = 4;  // as many as client_header has
    EXPECT_EQ(frame_up({opened("<a/>")}, limits).error, std::nullopt);
    limits.attributes = 3;
    auto const framing = frame_up({opened("<a/>")}, limits);
    EXPECT_EQ(framing.error, policy_violation);
    EXPECT_EQ(framing.joined(), "");
}

// Once in error, always in error; and what comes then is not collected.
TEST(FramerLimits, NothingComesAfterAnError) {
    FrameLimits limits;
    limits.frame_bytes = 200;
    StanzaFramer framer(limits);
    framer.feed(opened(stanza_of(201)));
    while (framer.next()) {
    }
    ASSERT_EQ(framer.error(), policy_violation);
    for (int i = 0; i < 1000; ++i) {
        framer.feed("<a/> ");
        ASSERT_EQ(framer.next(), nullptr);
    }
    EXPECT_EQ(framer.error(), policy_violation);
    EXPECT_LE(framer.rest().size(), 500U);
}

}  // namespace
}  // namespace stanzagate::filters
