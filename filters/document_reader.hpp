#pragma once

#include <optional>
#include <string_view>

#include "filters/stanza_framer.hpp"
#include "filters/stream_error.hpp"

namespace stanzagate::filters {

// A stream header that declares nothing which a document inside could lean on.
inline constexpr std::string_view bare_header = "<stream xmlns='http://etherx.jabber.org/streams'>";

// Reads one document that must be one element, as the next first-level element of a stream with the
// given header: so it is read in the very context in which the stream's reader will read it, and
// nothing of it can reach beyond it. What StanzaFramer refuses is refused; so are no element, a
// second one, an unfinished one, text beside it, and a closing tag of the stream. An XML
// declaration is judged and left out.
//   read() once; the frame stays valid as long as the reader and what it read
class DocumentReader {
public:
    DocumentReader(std::string_view header, const FrameLimits& limits);

    // The element, or nullptr where it is refused; then error() says why.
    const Frame* read(std::string_view document);

    StreamErrorCondition error() const { return error_; }
    // True where a size limit is the reason.
    bool too_big() const { return framer_.too_big(); }

private:
    bool skip_declaration(std::string_view& document);
    const Frame* refuse(StreamErrorCondition condition);
    const Frame* refuse_rest();

    FrameLimits limits_;
    std::string_view header_;
    StanzaFramer framer_;
    StreamErrorCondition error_ = StreamErrorCondition::bad_format;
};

// What a client says to open its stream, as a stream header (RFC 6120 section 4.7), in the style
// that every server reads. `id` and `type` are not part of it.
std::string opening_header(const Attributes& attributes);

}  // namespace stanzagate::filters
