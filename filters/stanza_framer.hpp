#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "filters/frame.hpp"
#include "filters/stream_error.hpp"
#include "filters/unfinished_token.hpp"

namespace stanzagate::filters {

class ExpatParser;

struct FrameLimits {
    std::size_t frame_bytes =
        std::size_t{16} * 1024;  // one frame, inclusive; the stream header too
    unsigned depth = 16;         // a first-level element counts as 1
    unsigned attributes = 32;    // in one element, namespace declarations included
};

// For the operator's own server: bounded, so that it cannot exhaust us, but not otherwise judged.
inline constexpr FrameLimits upstream_limits{
    .frame_bytes = std::size_t{256} * 1024, .depth = 256, .attributes = 1024};

// Cuts one direction of an XMPP stream into frames without changing a byte: the `raw` of all
// frames, joined, is exactly what was fed.
//   feed() and next() in any order; after error() or the stream's closing tag, next() gives nothing
//   more and feed() drops what it is given.
// A frame comes out as soon as its last byte was fed: peers wait for each other, so a late frame is
// a deadlock; what is wrong in a frame may be found later, but never let through. next() parses no
// further than the frame it returns, so that what follows can be held back, or passed on unparsed
// (rest()).
//
// Accepted is restricted XML in UTF-8 (RFC 6120 section 11): no comment, processing instruction,
// DTD or entity but the five; no BOM; nothing but white space between first-level elements; and no
// second stream header. A frame that breaks a limit is never given to the parser beyond that limit.
class StanzaFramer {
public:
    explicit StanzaFramer(const FrameLimits& limits);
    ~StanzaFramer();
    StanzaFramer(const StanzaFramer&) = delete;
    StanzaFramer& operator=(const StanzaFramer&) = delete;

    void feed(std::string_view bytes);

    // The next whole frame, or nullptr: more bytes are needed, or the stream is in error. The frame
    // belongs to the framer and is valid until the next call of feed() or next().
    const Frame* next();

    // Why the stream cannot go on, once it cannot.
    std::optional<StreamErrorCondition> error() const { return error_; }
    // True where a size limit (not depth or attributes) is the reason.
    bool too_big() const { return too_big_; }

    // What was fed and is in no frame returned so far. Valid until the next feed() or next().
    std::string_view rest() const;

private:
    void let_go_of_buffer();
    bool take_filler();
    bool parse_some();
    std::size_t end_of_chunk(std::string_view window);
    void note_unfinished_token();
    void let_parser_catch_up();
    void check_first_bytes();
    void fail(StreamErrorCondition condition);

    FrameLimits limits_;
    std::string buffer_;        // bytes from the oldest that is still needed
    std::size_t start_ = 0;     // where the frame in progress begins, in buffer_
    std::size_t fed_ = 0;       // how much of buffer_ the parser has been given
    std::size_t due_ = 0;       // up to where the parser is to be given more, piece by piece
    std::size_t searched_ = 0;  // up to where no '>' was found that the parser has not been given
    std::size_t taken_ = 0;     // size of the frame last returned, to be dropped on the next call
    std::unique_ptr<ExpatParser> parser_;
    std::optional<UnfinishedToken> unfinished_;  // that the parser waits for the end of
    std::optional<StreamErrorCondition> error_;
    bool first_bytes_checked_ = false;
    bool too_big_ = false;
    Frame frame_;
};

}  // namespace stanzagate::filters
