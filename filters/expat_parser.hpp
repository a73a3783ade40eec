#pragma once

#include <expat.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "filters/frame.hpp"
#include "filters/stanza_framer.hpp"
#include "filters/stream_error.hpp"

namespace stanzagate::filters {

// Expat, as a stream of frames: parses one XMPP stream and stops after each stream header,
// first-level element and closing tag, having noted what the frame is. StanzaFramer owns the bytes
// and decides when the parser sees them; this class decides what they mean.
//   expect_frame_at() before each parse() or resume(); after Outcome::frame: take_frame(), then
//   resume(), since Expat may hold more than the frame; after Outcome::failed: nothing.
// Offsets count the bytes given since the beginning of the stream.
class ExpatParser {
public:
    enum class Outcome { more, frame, failed };

    // `memory`: where Expat gets its own from; nullptr: malloc(). Throws std::bad_alloc.
    explicit ExpatParser(const FrameLimits& limits,
                         const XML_Memory_Handling_Suite* memory = nullptr);
    ExpatParser(const ExpatParser&) = delete;
    ExpatParser& operator=(const ExpatParser&) = delete;

    void expect_frame_at(std::size_t offset) { frame_begin_ = offset; }
    Outcome parse(std::string_view bytes);
    Outcome resume();

    // True while Expat holds bytes behind a frame; parse() is not allowed then.
    bool suspended() const;
    std::size_t bytes_given() const { return bytes_given_; }
    // After Outcome::more: where the token begins whose end has not come; bytes_given() where none
    // is unfinished.
    std::size_t unfinished_token() const { return event_begin(); }
    // True between the stream header and its closing tag, when no element is open.
    bool between_frames() const { return depth_ == 1; }
    bool finished() const { return finished_; }

    // The frame, without its `raw`; its element positions count from its first byte.
    Frame take_frame();
    std::size_t frame_size() const { return frame_end_ - frame_begin_; }

    // Which stream error the failure is; `seen` are the bytes given from the frame's first on.
    StreamErrorCondition explain_failure(std::string_view seen) const;

private:
    struct Free {
        void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
    };
    using Attribute = const XML_Char*;

    static void XMLCALL on_start(void* self, const XML_Char* name, Attribute* attributes);
    static void XMLCALL on_end(void* self, const XML_Char* name);
    static void XMLCALL on_text(void* self, const XML_Char* text, int size);
    static void XMLCALL on_namespace(void* self, const XML_Char* prefix, const XML_Char* uri);
    static void XMLCALL on_declaration(void* self, const XML_Char* version,
                                       const XML_Char* encoding, int standalone);

    void start(const XML_Char* name, Attribute* attributes);
    void end();
    bool is_kept() const;
    void open_element(std::string_view uri, std::string_view local);
    void open_stream(Attribute* attributes);
    void open_first_level(std::string_view uri, Attribute* attributes);
    void read_attributes(Attribute* attributes);
    void finish_frame(Frame::Kind kind);
    void fail(StreamErrorCondition condition);
    Outcome outcome(XML_Status status) const;
    std::size_t event_begin() const;
    std::size_t event_end() const;

    FrameLimits limits_;
    std::unique_ptr<std::remove_pointer_t<XML_Parser>, Free> parser_;
    std::size_t bytes_given_ = 0;
    std::size_t frame_begin_ = 0;
    std::size_t frame_end_ = 0;
    unsigned depth_ = 0;                      // open elements; the stream's root is one
    std::size_t namespace_declarations_ = 0;  // of the element about to start
    bool frame_done_ = false;
    bool finished_ = false;  // the stream was closed
    std::optional<StreamErrorCondition> error_;
    Frame frame_;
    std::array<Element*, 3> open_{};  // the open elements that are kept; see is_kept()
};

}  // namespace stanzagate::filters
