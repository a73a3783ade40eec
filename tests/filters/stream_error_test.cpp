#include "filters/stream_error.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "filters/stream_version.hpp"
#include "tests/filters/framing.hpp"

namespace stanzagate::filters {
namespace {

TEST(StreamError, IsWritten) {
    EXPECT_EQ(stream_error(StreamErrorCondition::host_unknown),
              "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
              "</stream:error></stream:stream>");
    EXPECT_EQ(stream_error(StreamErrorCondition::policy_violation, stanza_too_big),
              "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
              "<stanza-too-big xmlns='urn:xmpp:errors'/></stream:error></stream:stream>");
}

// The closing tag must be that of the stream it stands in, whatever its prefix.
TEST(StreamError, FitsAStreamWithAnotherPrefix) {
    auto const error = stream_error(StreamErrorCondition::not_authorized, {}, "x:stream");
    EXPECT_TRUE(error.ends_with("</x:stream>"));
    for (auto const& [header, root] :
         {std::pair{"<x:stream xmlns:x='http://etherx.jabber.org/streams'>", "x:stream"},
          std::pair{"<stream xmlns='http://etherx.jabber.org/streams'>", "stream"},
          std::pair{"<stream xmlns='http://etherx.jabber.org/streams' xmlns:stream='urn:x'>",
                    "stream"}}) {
        auto const framing =
            frame_up({header + stream_error(StreamErrorCondition::not_authorized, {}, root)});
        EXPECT_EQ(framing.error, std::nullopt) << header;
        ASSERT_EQ(framing.frames.size(), 3U);
        EXPECT_TRUE(framing.frames[1].root.is(Namespace::streams, "error"));
        EXPECT_EQ(framing.frames[2].kind, Frame::Kind::stream_close);
    }
}

TEST(StreamError, EveryConditionHasItsName) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(StreamErrorCondition::unsupported_version); ++i) {
        auto const name = to_string(static_cast<StreamErrorCondition>(i));
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_EQ(name.find('_'), std::string_view::npos);
    }
    EXPECT_EQ(names.count("restricted-xml"), 1U);
    EXPECT_EQ(names.count("unsupported-encoding"), 1U);
}

TEST(StreamHeader, EscapesAndLeavesOut) {
    EXPECT_EQ(stream_header({"a'b", "", ""}),
              "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
              "xmlns:stream='http://etherx.jabber.org/streams' id='a&apos;b' version='1.0' "
              "xml:lang='en'>");
    auto const framing = frame_up({stream_header({"1", "example.org", "<&'\">@x"})});
    ASSERT_EQ(framing.frames.size(), 1U);
    EXPECT_EQ(framing.frames[0].attributes.to, "<&'\">@x");
    EXPECT_EQ(framing.frames[0].attributes.from, "example.org");
    EXPECT_EQ(framing.frames[0].attributes.lang, "en");
}

TEST(StreamVersion, FromOneOn) {
    for (auto const* const version : {"1.0", "1.1", "2.0", "10.0", "01.0"})
        EXPECT_TRUE(has_features(version)) << version;
    for (auto const* const version : {"", "0.9", "0.0", "0", "one", ".1", "-1.0", "1,0", " 1.0"})
        EXPECT_FALSE(has_features(version)) << version;
    // Named: g++ 12 warns of a temporary one.
    std::optional<std::string> const missing;
    EXPECT_FALSE(has_features(missing));
}

}  // namespace
}  // namespace stanzagate::filters
