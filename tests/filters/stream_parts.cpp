#include "tests/filters/stream_parts.hpp"

#include <utility>

#include "filters/stream_cutter.hpp"
#include "filters/xml_escape.hpp"
#include "tests/filters/canonical.hpp"

namespace stanzagate::filters {

std::vector<StreamPart> StreamParts::cut(std::string_view bytes) {
    std::vector<StreamPart> parts;
    unread_ += bytes;
    std::string fresh(bytes);
    for (;;) {
        if (!framer_) framer_ = std::make_unique<StanzaFramer>(server_limits);
        framer_->feed(fresh);
        bool restarts = false;
        while (!restarts) {
            auto const* const frame = framer_->next();
            if (!frame) return parts;
            unread_.erase(0, frame->raw.size());
            if (frame->kind == Frame::Kind::filler) continue;
            parts.push_back(part_of(*frame));
            if (frame->kind == Frame::Kind::stream_close) unread_.clear();
            restarts =
                frame->kind == Frame::Kind::stanza && frame->root.is(Namespace::sasl, "success");
        }
        framer_.reset();
        fresh = unread_;
    }
}

std::string StreamParts::take_rest() {
    if (unread_.empty()) return {};
    framer_.reset();
    return std::exchange(unread_, {});
}

void StreamParts::restart() {
    framer_.reset();
    unread_.clear();
}

StreamPart StreamParts::part_of(const Frame& frame) {
    StreamPart part;
    if (frame.kind == Frame::Kind::stream_close) {
        part.kind = StreamPart::Kind::close;
        return part;
    }
    if (frame.kind == Frame::Kind::stream_open) {
        header_ = frame.raw;
        language_ = frame.attributes.lang.value_or("");
        prefixes_ = declarations_in(frame.raw.substr(frame.root.begin));
        std::erase_if(prefixes_, [](auto const& declared) { return declared.prefix.empty(); });
        part.kind = StreamPart::Kind::header;
        part.attributes = frame.attributes;
        return part;
    }
    part.xml = standalone(frame.raw, prefixes_);
    part.meaning = canonical_elements(header_ + std::string(frame.raw)).back();
    part.is_stanza = frame.root.ns == Namespace::client && !frame.attributes.lang;
    part.is_error = frame.root.is(Namespace::streams, "error");
    return part;
}

std::string written_header(const Attributes& header) {
    std::string text;
    auto const add = [&](std::string_view name, const std::optional<std::string>& value) {
        if (value) append_attribute(text, name, *value);
    };
    add("from", header.from);
    add("to", header.to);
    add("id", header.id);
    add("version", header.version);
    add("xml:lang", header.lang);
    return text;
}

std::string meaning_of_open(const Attributes& header) {
    return canonical("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'" + written_header(header) +
                     "/>");
}

}  // namespace stanzagate::filters
