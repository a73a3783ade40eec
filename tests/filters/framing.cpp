#include "tests/filters/framing.hpp"

#include <array>
#include <cstddef>

namespace stanzagate::filters {
namespace {

void keep(Framing& framing, const Frame& frame) {
    bool const continues = frame.kind == Frame::Kind::filler && !framing.frames.empty() &&
                           framing.frames.back().kind == Frame::Kind::filler;
    if (continues)
        framing.frames.back().raw += frame.raw;
    else
        framing.frames.push_back(
            {frame.kind, std::string(frame.raw), frame.root, frame.attributes});
}

}  // namespace

std::string Framing::joined() const {
    std::string all;
    for (auto const& frame : frames) all += frame.raw;
    return all;
}

Framing frame_up(const Pieces& pieces, const FrameLimits& limits) {
    Framing framing;
    StanzaFramer framer(limits);
    std::string fed;
    std::size_t out = 0;
    for (auto const piece : pieces) {
        auto const fed_before = fed.size();
        framer.feed(piece);
        fed += piece;
        while (auto const* const frame = framer.next()) {
            auto const begin = out;
            out += frame->raw.size();
            if (out > fed.size() || fed.substr(begin, frame->raw.size()) != frame->raw)
                framing.broken_promise = "not what was fed: " + std::string(frame->raw);
            bool const late = out <= fed_before;
            bool const late_filler = frame->kind == Frame::Kind::filler && begin < fed_before;
            if (late || late_filler) framing.broken_promise = "late: " + std::string(frame->raw);
            if (framer.rest() != std::string_view(fed).substr(out))
                framing.broken_promise = "the rest is wrong behind " + std::string(frame->raw);
            keep(framing, *frame);
        }
    }
    framing.error = framer.error();
    framing.too_big = framer.too_big();
    framing.rest = framer.rest();
    return framing;
}

std::string summary(const Framing& framing) {
    std::string text;
    for (auto const& frame : framing.frames)
        text += name_of(frame.kind) + " " + frame.raw + " " + outline(frame.root) + "\n";
    if (framing.error) text += "error " + std::string(to_string(*framing.error)) + "\n";
    if (framing.too_big) text += "too big\n";
    if (!framing.broken_promise.empty()) text += "BROKEN PROMISE: " + framing.broken_promise + "\n";
    return text;
}

std::string outline(const Element& element) {
    std::string text = name_of(element.ns) + ":" + element.local;
    if (element.children.empty()) return text;
    text += '{';
    for (auto const& child : element.children) {
        if (text.back() != '{') text += ' ';
        text += outline(child);
    }
    return text + '}';
}

std::string name_of(Namespace ns) {
    constexpr std::array<const char*, 17> names{"none",
                                                "client",
                                                "streams",
                                                "tls",
                                                "sasl",
                                                "sasl2",
                                                "iq_register",
                                                "iq_auth",
                                                "pars",
                                                "extensible_ibr",
                                                "compress",
                                                "register_feature",
                                                "compress_feature",
                                                "limits",
                                                "framing",
                                                "httpbind",
                                                "other"};
    return names.at(static_cast<std::size_t>(ns));
}

std::string name_of(Frame::Kind kind) {
    switch (kind) {
        case Frame::Kind::stream_open:
            return "stream_open";
        case Frame::Kind::stanza:
            return "stanza";
        case Frame::Kind::stream_close:
            return "stream_close";
        case Frame::Kind::filler:
            return "filler";
    }
    return "?";
}

}  // namespace stanzagate::filters
