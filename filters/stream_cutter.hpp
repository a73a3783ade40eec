#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "filters/frame.hpp"
#include "filters/stanza_framer.hpp"
#include "filters/xml_tags.hpp"

namespace stanzagate::filters {

// The operator's own server: bounded, so that it cannot exhaust us, but not otherwise judged.
inline constexpr FrameLimits server_limits{
    .frame_bytes = std::size_t{16} * 1024 * 1024, .depth = 1024, .attributes = 1024};

// A piece of the server's stream that stands by itself.
struct StreamPiece {
    enum class Kind : std::uint8_t {
        header,    // `attributes` say what it says; no `xml`
        element,   // a stanza, or what else is on the first level
        features,  // <stream:features/>
        success,   // SASL's (RFC 6120 section 6.4.6): both sides open a new stream now
        error,     // <stream:error/>
        close,     // </stream:stream>; no `xml`, and nothing follows
    };
    Kind kind = Kind::element;
    std::string xml;
    Attributes attributes;
};

// Cuts the server's stream into elements that stand by themselves, for transports that have no
// stream around them. Declarations that an element inherits from the header are written into its
// start tag, and so is the language of a stanza that has none of its own; STARTTLS and compression
// are cut out of features, since neither can work there (RFC 7395 section 3.9, XEP-0206 section 4).
// Every other byte stays as it came. White space between elements is left out.
//   cut() until failed(), or until Kind::close came
// A piece comes out of the cut() that brought its last byte.
class StreamCutter {
public:
    explicit StreamCutter(const FrameLimits& limits = server_limits);

    std::vector<StreamPiece> cut(std::string_view bytes);

    // True where the bytes were no XMPP stream; nothing comes any more.
    bool failed() const;

private:
    void begin_stream();
    void add(const Frame& frame, std::vector<StreamPiece>& pieces);
    StreamPiece element_piece(const Frame& frame) const;

    FrameLimits limits_;
    std::unique_ptr<StanzaFramer> framer_;
    bool at_start_ = true;
    Scope scope_;
    std::string language_;  // an attribute, ready to be written
};

}  // namespace stanzagate::filters
