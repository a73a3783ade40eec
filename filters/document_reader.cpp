#include "filters/document_reader.hpp"

#include "filters/xml_escape.hpp"

namespace stanzagate::filters {

DocumentReader::DocumentReader(std::string_view header, const FrameLimits& limits)
    : limits_(limits), header_(header), framer_(limits) {}

const Frame* DocumentReader::read(std::string_view document) {
    if (document.empty()) return refuse(StreamErrorCondition::bad_format);
    auto const first = static_cast<unsigned char>(document[0]);
    if (first == 0xFE || first == 0xFF || first == 0)
        return refuse(StreamErrorCondition::unsupported_encoding);
    if (first != '<') return refuse(StreamErrorCondition::bad_format);
    if (!skip_declaration(document)) return nullptr;

    framer_.feed(header_);
    if (!framer_.next())
        return refuse(framer_.error().value_or(StreamErrorCondition::policy_violation));
    framer_.feed(document);
    auto const* const frame = framer_.next();
    if (!frame) return refuse(framer_.error().value_or(StreamErrorCondition::not_well_formed));
    if (frame->kind != Frame::Kind::stanza) return refuse(StreamErrorCondition::bad_format);
    return is_xml_blank(framer_.rest()) ? frame : refuse_rest();
}

// A declaration may stand at the beginning of a document only, so it cannot go to the framer in the
// middle of a stream: one of its own judges it (RFC 6120 section 11.5 and 11.6).
bool DocumentReader::skip_declaration(std::string_view& document) {
    constexpr std::string_view begin = "<?xml";
    if (!document.starts_with(begin) || document.size() == begin.size() ||
        !is_xml_space(document[begin.size()]))
        return true;
    auto const end = document.substr(0, limits_.frame_bytes).find("?>");
    if (end == std::string_view::npos) {
        refuse(StreamErrorCondition::not_well_formed);
        return false;
    }
    StanzaFramer framer(limits_);
    framer.feed(document.substr(0, end + 2));
    framer.feed(bare_header);
    if (!framer.next()) {
        refuse(framer.error().value_or(StreamErrorCondition::not_well_formed));
        return false;
    }
    document.remove_prefix(end + 2);
    while (!document.empty() && is_xml_space(document[0])) document.remove_prefix(1);
    return true;
}

const Frame* DocumentReader::refuse(StreamErrorCondition condition) {
    error_ = condition;
    return nullptr;
}

// What is wrong with the rest is more telling than that there is one.
const Frame* DocumentReader::refuse_rest() {
    auto const* frame = framer_.next();
    while (frame && frame->kind == Frame::Kind::filler) frame = framer_.next();
    return refuse(framer_.error().value_or(StreamErrorCondition::bad_format));
}

std::string opening_header(const Attributes& attributes) {
    std::string header =
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams'";
    auto const add = [&](std::string_view name, const std::optional<std::string>& value) {
        if (value) append_attribute(header, name, *value);
    };
    add("to", attributes.to);
    add("from", attributes.from);
    add("version", attributes.version);
    add("xml:lang", attributes.lang);
    header += '>';
    return header;
}

}  // namespace stanzagate::filters
