#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filters/stanza_framer.hpp"
#include "tests/filters/splits.hpp"

// What a StanzaFramer makes of a stream, kept for comparison.
namespace stanzagate::filters {

struct KeptFrame {
    Frame::Kind kind = Frame::Kind::filler;
    std::string raw;
    Element root;
    Attributes attributes;
};

struct Framing {
    std::vector<KeptFrame> frames;  // neighbouring fillers are joined: how they are cut may differ
    std::optional<StreamErrorCondition> error;
    bool too_big = false;
    std::string rest;
    // What was not as promised: a frame that came late, bytes that are not those that were fed.
    std::string broken_promise;

    std::string joined() const;
};

Framing frame_up(const Pieces& pieces, const FrameLimits& limits = {});

// Kinds and raw bytes, one frame a line, then the error: "stanza <iq/>".
std::string summary(const Framing& framing);
// The element tree with namespaces and attributes: "client:iq{iq_register:query}".
std::string outline(const Element& element);
std::string name_of(Namespace ns);
std::string name_of(Frame::Kind kind);

inline constexpr std::string_view client_header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>";

}  // namespace stanzagate::filters
