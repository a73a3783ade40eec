#include "filters/websocket_frames.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/filters/splits.hpp"
#include "tests/filters/websocket_client.hpp"

namespace stanzagate::filters {
namespace {

using testing::client_frame;
using testing::server_frames;
using testing::ServerFrame;

constexpr std::size_t most = 1000;

// "text:...", "ping:...", "close:1000:...", and at the end "error:1002" where there is one.
std::vector<std::string> decoded(const Pieces& pieces, std::size_t limit = most) {
    WebsocketDecoder decoder(limit);
    std::vector<std::string> said;
    for (auto const piece : pieces) {
        decoder.feed(piece);
        while (auto const input = decoder.next()) {
            std::string text;
            switch (input->kind) {
                case WebsocketInput::Kind::text:
                    text = "text:";
                    break;
                case WebsocketInput::Kind::ping:
                    text = "ping:";
                    break;
                case WebsocketInput::Kind::pong:
                    text = "pong:";
                    break;
                case WebsocketInput::Kind::close:
                    text = "close:" + (input->code ? std::to_string(*input->code) : "") + ":";
                    break;
            }
            said.push_back(text + std::string(input->payload));
        }
        EXPECT_FALSE(decoder.pending());
    }
    if (auto const error = decoder.error())
        said.push_back("error:" + std::to_string(static_cast<unsigned>(*error)));
    return said;
}

struct Case {
    const char* name;
    std::string bytes;
    std::vector<std::string> said;
};

std::string with_first_byte(std::string frame, unsigned byte) {
    frame[0] = static_cast<char>(byte);
    return frame;
}

// A head with the given length field, and nothing behind it.
std::string head(unsigned first, std::string length) {
    return static_cast<char>(first) + std::move(length) + "mask";
}

std::vector<Case> cases() {
    using namespace std::string_literals;
    std::string const big(most, 'x');
    std::string const too_big(most + 1, 'x');
    return {
        {"S5_2_OneFrame", client_frame(1, "hello"), {"text:hello"}},
        {"S5_2_Empty", client_frame(1, ""), {"text:"}},
        {"S5_2_Length126",
         client_frame(1, std::string(126, 'y')),
         {"text:" + std::string(126, 'y')}},
        {"S5_2_ExactlyTheLimit", client_frame(1, big), {"text:" + big}},
        {"S5_2_OverTheLimit", client_frame(1, too_big), {"error:1009"}},
        {"S5_2_HugeByItsHead", head(0x81, "\xff\0\0\0\x01\0\0\0\0"s), {"error:1009"}},
        {"S5_2_LengthWithTheHighestBit", head(0x81, "\xff\x80\0\0\0\0\0\0\1"s), {"error:1002"}},
        {"S5_2_LengthNotMinimal16", head(0x81, "\xfe\0\x05"s) + "hello", {"error:1002"}},
        {"S5_2_LengthNotMinimal64", head(0x81, "\xff\0\0\0\0\0\0\0\x05"s), {"error:1002"}},
        {"S5_2_ReservedBit", with_first_byte(client_frame(1, "x"), 0xc1), {"error:1002"}},
        {"S5_2_ReservedOpcode", client_frame(3, "x"), {"error:1002"}},
        {"S5_2_ReservedControlOpcode", client_frame(11, "x"), {"error:1002"}},
        {"S5_1_NotMasked", "\x81\x05hello", {"error:1002"}},
        {"S5_4_Fragments",
         client_frame(1, "a", false) + client_frame(0, "b", false) + client_frame(0, "c"),
         {"text:abc"}},
        {"S5_4_FragmentsThenAnother",
         client_frame(1, "a", false) + client_frame(0, "b") + client_frame(1, "c") +
             client_frame(1, "d", false) + client_frame(0, "e"),
         {"text:ab", "text:c", "text:de"}},
        {"S5_4_FragmentsOverTheLimit",
         client_frame(1, big, false) + client_frame(0, "x"),
         {"error:1009"}},
        {"S5_4_ControlBetweenFragments",
         client_frame(1, "a", false) + client_frame(9, "p") + client_frame(0, "b"),
         {"ping:p", "text:ab"}},
        {"S5_4_ContinuationOfNothing", client_frame(0, "b"), {"error:1002"}},
        {"S5_4_NewMessageWithinAnother",
         client_frame(1, "a", false) + client_frame(1, "b"),
         {"error:1002"}},
        {"S5_5_ControlInFragments", client_frame(9, "p", false), {"error:1002"}},
        {"S5_5_ControlTooLong", client_frame(9, std::string(126, 'p')), {"error:1002"}},
        {"S5_5_LongestControl",
         client_frame(9, std::string(125, 'p')),
         {"ping:" + std::string(125, 'p')}},
        {"S5_5_1_Close",
         client_frame(8,
                      "\x03\xe8"
                      "bye"),
         {"close:1000:bye"}},
        {"S5_5_1_CloseWithoutACode", client_frame(8, ""), {"close::"}},
        {"S5_5_1_CloseWithHalfACode", client_frame(8, "\x03"), {"close:1002:"}},
        {"S7_4_CloseWithACodeThatIsNeverSent", client_frame(8, "\x03\xed"), {"close:1002:"}},
        {"S5_5_3_Pong", client_frame(10, "x"), {"pong:x"}},
        {"S5_6_Binary", client_frame(2, "x"), {"error:1003"}},
        {"NothingAfterAnError", client_frame(2, "x") + client_frame(1, "y"), {"error:1003"}},
        {"SeveralInOneRead",
         client_frame(1, "a") + client_frame(1, "b") + client_frame(1, "c"),
         {"text:a", "text:b", "text:c"}},
    };
}

class WebsocketFramesTest : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Rfc6455, WebsocketFramesTest, ::testing::ValuesIn(cases()),
                         [](auto const& test) { return test.param.name; });

TEST_P(WebsocketFramesTest, EverySplit) {
    for (auto const& pieces : some_splits(GetParam().bytes, 1))
        EXPECT_EQ(decoded(pieces), GetParam().said);
    for (auto const size : {1U, 2U, 3U, 7U})
        EXPECT_EQ(decoded(pieces_of(GetParam().bytes, size)), GetParam().said);
}

TEST(WebsocketDecoderTest, AMessageComesWithItsLastByte) {
    WebsocketDecoder decoder(most);
    auto const bytes = client_frame(1, "hello");
    decoder.feed(std::string_view(bytes).substr(0, bytes.size() - 1));
    EXPECT_FALSE(decoder.next());
    EXPECT_FALSE(decoder.pending());
    decoder.feed(std::string_view(bytes).substr(bytes.size() - 1));
    EXPECT_TRUE(decoder.pending());
    EXPECT_TRUE(decoder.next());
}

// The limit is for messages: a ping may come while it is lower.
TEST(WebsocketDecoderTest, ALimitMayChangeBetweenMessages) {
    WebsocketDecoder decoder(4);
    decoder.feed(client_frame(9, "0123456789"));
    EXPECT_TRUE(decoder.next());
    decoder.limit(8);
    decoder.feed(client_frame(1, "01234567"));
    EXPECT_TRUE(decoder.next());
    decoder.limit(7);
    decoder.feed(client_frame(1, "01234567"));
    EXPECT_FALSE(decoder.next());
    EXPECT_EQ(decoder.error(), WebsocketClose::too_big);
}

TEST(WebsocketFrameTest, LengthsAreMinimal) {
    for (std::size_t const size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U, 70000U}) {
        std::string const payload(size, 'z');
        auto const frame = websocket_text(payload);
        EXPECT_EQ(frame.size(), size + (size < 126 ? 2 : size <= 65535 ? 4 : 10));
        EXPECT_EQ(server_frames(frame), (std::vector<ServerFrame>{{1, payload}}));
    }
}

TEST(WebsocketFrameTest, ControlFrames) {
    EXPECT_EQ(websocket_pong("abc"),
              "\x8a\x03"
              "abc");
    EXPECT_EQ(websocket_close(WebsocketClose::going_away), "\x88\x02\x03\xe9");
}

}  // namespace
}  // namespace stanzagate::filters
