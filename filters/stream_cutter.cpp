#include "filters/stream_cutter.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "filters/stream_features.hpp"
#include "filters/xml_escape.hpp"

namespace stanzagate::filters {
namespace {

// Cuts what is always cut, and nothing else.
FeatureEdits only_what_cannot_work() {
    FeatureEdits edits;
    edits.max_bytes = std::numeric_limits<std::size_t>::max();
    edits.idle_seconds = std::numeric_limits<std::size_t>::max();
    return edits;
}

StreamPiece::Kind kind_of(const Element& root) {
    if (root.is(Namespace::streams, "features")) return StreamPiece::Kind::features;
    if (root.is(Namespace::streams, "error")) return StreamPiece::Kind::error;
    if (root.is(Namespace::sasl, "success")) return StreamPiece::Kind::success;
    return StreamPiece::Kind::element;
}

}  // namespace

StreamCutter::StreamCutter(const FrameLimits& limits) : limits_(limits) {
    begin_stream();
}

void StreamCutter::begin_stream() {
    framer_ = std::make_unique<StanzaFramer>(limits_);
    at_start_ = true;
}

bool StreamCutter::failed() const {
    return framer_->error().has_value();
}

std::vector<StreamPiece> StreamCutter::cut(std::string_view bytes) {
    std::vector<StreamPiece> pieces;
    std::string rest;
    for (;;) {
        // A keepalive behind <success/> would stand before the new stream's XML declaration.
        while (at_start_ && !bytes.empty() && is_xml_space(bytes.front())) bytes.remove_prefix(1);
        if (bytes.empty()) return pieces;
        at_start_ = false;
        framer_->feed(bytes);
        bool restarts = false;
        while (!restarts) {
            auto const* const frame = framer_->next();
            if (!frame) return pieces;
            add(*frame, pieces);
            restarts = frame->kind == Frame::Kind::stanza &&
                       pieces.back().kind == StreamPiece::Kind::success;
        }
        rest = std::string(framer_->rest());
        bytes = rest;
        begin_stream();
    }
}

void StreamCutter::add(const Frame& frame, std::vector<StreamPiece>& pieces) {
    switch (frame.kind) {
        case Frame::Kind::filler:
            return;
        case Frame::Kind::stream_open:
            scope_ = declarations_in(frame.raw.substr(frame.root.begin));
            // Inside of something else, "no namespace" must be said.
            if (std::none_of(scope_.begin(), scope_.end(),
                             [](auto const& declaration) { return declaration.prefix.empty(); }))
                scope_.push_back({"", "''"});
            language_.clear();
            if (frame.attributes.lang)
                append_attribute(language_, "xml:lang", *frame.attributes.lang);
            pieces.push_back({StreamPiece::Kind::header, {}, frame.attributes});
            return;
        case Frame::Kind::stream_close:
            pieces.push_back({StreamPiece::Kind::close, {}, {}});
            return;
        case Frame::Kind::stanza:
            pieces.push_back(element_piece(frame));
    }
}

StreamPiece StreamCutter::element_piece(const Frame& frame) const {
    StreamPiece piece;
    piece.kind = kind_of(frame.root);
    piece.attributes = frame.attributes;
    bool const needs_language = frame.root.ns == Namespace::client && !frame.attributes.lang;
    auto const extra = needs_language ? std::string_view(language_) : std::string_view{};
    if (piece.kind == StreamPiece::Kind::features)
        piece.xml = standalone(rewrite_features(frame, only_what_cannot_work()), scope_, extra);
    else
        piece.xml = standalone(frame.raw, scope_, extra);
    return piece;
}

}  // namespace stanzagate::filters
