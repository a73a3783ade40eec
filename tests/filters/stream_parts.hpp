#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "filters/frame.hpp"
#include "filters/stanza_framer.hpp"
#include "filters/xml_tags.hpp"

namespace stanzagate::filters {

// A part of a stream as it is on TCP, in the words of a transport that has no stream around it.
struct StreamPart {
    enum class Kind : std::uint8_t { header, element, close };
    Kind kind = Kind::element;
    std::string xml;         // an element that stands by itself: its prefixes are declared in it
    std::string meaning;     // canonical(), in the stream's context
    Attributes attributes;   // of the header
    bool is_stanza = false;  // of jabber:client, and without a language of its own
    bool is_error = false;   // <stream:error/>
};

// Cuts a stream into its parts. White space between elements is none.
//   cut() with all that is said in one turn
// Behind SASL's <success/> a new stream begins.
class StreamParts {
public:
    std::vector<StreamPart> cut(std::string_view bytes);
    // What was said and is no part, at least so far; and forgets it.
    std::string take_rest();
    // The other side said <success/>.
    void restart();

    const std::string& language() const { return language_; }

private:
    StreamPart part_of(const Frame& frame);

    std::unique_ptr<StanzaFramer> framer_;
    std::string unread_;  // what the framer was given and has not returned
    std::string header_;
    Scope prefixes_;
    std::string language_;
};

// What <open/> means that says the same as a stream's header.
std::string meaning_of_open(const Attributes& header);
// The attributes of the header that count, each with a space before it.
std::string written_header(const Attributes& header);

}  // namespace stanzagate::filters
