#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "tests/filters/framing.hpp"
#include "tests/fuzz/require.hpp"

// Any bytes, in any pieces: what comes out is what went in, at once, and does not depend on how it
// was cut.
//   byte 0: which limits; byte 1: how the random pieces are cut; the rest: the stream
namespace {

using stanzagate::require;
using namespace stanzagate::filters;

FrameLimits limits_for(unsigned choice) {
    switch (choice % 4) {
        case 0:
            return {.frame_bytes = 64, .depth = 2, .attributes = 3};
        case 1:
            return {.frame_bytes = 300, .depth = 4, .attributes = 6};
        default:
            return {};
    }
}

void check(const Framing& framing, std::string_view bytes) {
    auto const seen = summary(framing);
    require(framing.broken_promise.empty(), "at once, and what was fed", seen);
    require(bytes.starts_with(framing.joined()), "frames are the input", seen);
    for (auto const& frame : framing.frames) {
        require(!frame.raw.empty(), "no frame is empty", seen);
        if (frame.kind != Frame::Kind::stanza) continue;
        require(frame.root.begin == 0 && frame.root.end == frame.raw.size(), "positions", seen);
    }
    if (framing.error) require(!framing.too_big || framing.rest.size() > 0, "too big", seen);
}

// Where two things are wrong with a frame, which of them is named may depend on the cut.
std::string without_the_reason(Framing framing) {
    if (framing.error) framing.error = StreamErrorCondition::undefined_condition;
    return summary(framing);
}

// What is wrong in a token that the parser has looked at often is found when the token ends, or
// when it has become too big.
bool may_be_late(const Framing& whole, const Framing& split) {
    auto const looks = std::count(split.rest.begin(), split.rest.end(), '>');
    bool const not_found = !split.error || (split.too_big && !whole.too_big);
    return whole.error && not_found && whole.joined() == split.joined() &&
           looks > UnfinishedToken::most_looks;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    auto const limits = limits_for(data[0]);
    std::mt19937 random(data[1]);
    std::string const bytes(data + 2, data + size);

    auto const whole = frame_up({bytes}, limits);
    check(whole, bytes);
    auto const expected = without_the_reason(whole);
    for (auto const& pieces : {pieces_of(bytes, 1), random_pieces(bytes, random)}) {
        auto const split = frame_up(pieces, limits);
        check(split, bytes);
        if (may_be_late(whole, split)) continue;
        require(without_the_reason(split) == expected, "cutting changes nothing",
                summary(whole) + "--- cut:\n" + summary(split));
    }
    return 0;
}
