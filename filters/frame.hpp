#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filters/namespaces.hpp"

namespace stanzagate::filters {

enum class Side : std::uint8_t { client, upstream };

// The attributes that routing and addressing use (RFC 6120 sections 4.7 and 8.1), unescaped.
// Empty optional: not there. Only those without a namespace count, and xml:lang.
struct Attributes {
    std::optional<std::string> id;
    std::optional<std::string> type;
    std::optional<std::string> to;
    std::optional<std::string> from;
    std::optional<std::string> version;
    std::optional<std::string> lang;
    // One of id, type, to and from is there in a namespace too. Some servers go by local names, and
    // take it for the plain one.
    bool qualified = false;
};

// One element inside a frame. Positions are offsets into the frame's `raw`.
struct Element {
    Namespace ns = Namespace::none;
    std::string local;
    std::size_t begin = 0;          // its '<'
    std::size_t content_begin = 0;  // past the '>' of its start tag; an empty-element tag: `end`
    std::size_t content_end = 0;    // the '<' of its end tag; an empty-element tag: `end`
    std::size_t end = 0;            // past its last '>'
    std::string text;               // its own character data; kept in <stream:features/> only
    std::vector<Element> children;

    bool is(Namespace name_space, std::string_view name) const {
        return ns == name_space && local == name;
    }
    const Element* child(Namespace name_space, std::string_view name) const {
        for (auto const& element : children)
            if (element.is(name_space, name)) return &element;
        return nullptr;
    }
};

// A piece of an XMPP stream: exact bytes, and what they mean. Kept are a
// first-level element and its children, and those of <stream:features/> with their own children:
// nothing deeper decides anything.
struct Frame {
    enum class Kind : std::uint8_t {
        stream_open,   // everything up to the '>' of the stream header
        stanza,        // one first-level element, be it a stanza or a nonza
        stream_close,  // </stream:stream>
        filler,        // white space between first-level elements (keepalive)
    };
    Kind kind = Kind::filler;
    std::string_view raw;   // valid until the framer that made it is used again
    Element root;           // stream_open and stanza
    Attributes attributes;  // of the root
};

// The name in a start tag as it was written, prefix included: "stream:features".
std::string_view written_name(std::string_view start_tag);

}  // namespace stanzagate::filters
