#include "filters/expat_parser.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "filters/xml_escape.hpp"

namespace stanzagate::filters {
namespace {

// Between namespace and local name in the names that Expat reports. Expat refuses namespaces that
// contain it.
constexpr char separator = '\n';
constexpr std::string_view xml_lang = "http://www.w3.org/XML/1998/namespace\nlang";

// No feature of interest has a longer text; what is longer is cut.
constexpr std::size_t kept_text = 256;

struct ExpandedName {
    std::string_view uri;
    std::string_view local;
};

ExpandedName split(std::string_view name) {
    auto const at = name.rfind(separator);
    if (at == std::string_view::npos) return {"", name};
    return {name.substr(0, at), name.substr(at + 1)};
}

bool is_addressing(std::string_view local) {
    return local == "id" || local == "type" || local == "to" || local == "from";
}

bool is_utf8_name(std::string_view encoding) {
    constexpr std::string_view wanted = "utf-8";
    if (encoding.size() != wanted.size()) return false;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if ((encoding[i] | 0x20) != wanted[i]) return false;
    return true;
}

// Runs a handler. Expat is C: an exception must not travel through it.
template <typename Handler>
void guarded(Handler&& handler, std::optional<StreamErrorCondition>& error, XML_Parser parser) {
    try {
        handler();
    } catch (const std::bad_alloc&) {
        error = StreamErrorCondition::resource_constraint;
        XML_StopParser(parser, XML_FALSE);
    }
}

}  // namespace

ExpatParser::ExpatParser(const FrameLimits& limits, const XML_Memory_Handling_Suite* memory)
    : limits_(limits), parser_(XML_ParserCreate_MM("UTF-8", memory, &separator)) {
    if (!parser_) throw std::bad_alloc();
#ifdef STANZAGATE_EXPAT_HAS_REPARSE_DEFERRAL
    // Otherwise an end tag that comes in pieces stays inside Expat until more data follows.
    XML_SetReparseDeferralEnabled(parser_.get(), XML_FALSE);
#endif
    auto* const parser = parser_.get();
    XML_SetUserData(parser, this);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetStartNamespaceDeclHandler(parser, on_namespace);
    XML_SetXmlDeclHandler(parser, on_declaration);
    // RFC 6120 section 11.1: none of these may occur in a stream.
    XML_SetCommentHandler(parser, [](void* self, const XML_Char*) {
        static_cast<ExpatParser*>(self)->fail(StreamErrorCondition::restricted_xml);
    });
    XML_SetProcessingInstructionHandler(parser, [](void* self, const XML_Char*, const XML_Char*) {
        static_cast<ExpatParser*>(self)->fail(StreamErrorCondition::restricted_xml);
    });
    XML_SetStartDoctypeDeclHandler(
        parser, [](void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
            static_cast<ExpatParser*>(self)->fail(StreamErrorCondition::restricted_xml);
        });
}

ExpatParser::Outcome ExpatParser::parse(std::string_view bytes) {
    bytes_given_ += bytes.size();
    return outcome(
        XML_Parse(parser_.get(), bytes.data(), static_cast<int>(bytes.size()), XML_FALSE));
}

ExpatParser::Outcome ExpatParser::resume() {
    return outcome(XML_ResumeParser(parser_.get()));
}

bool ExpatParser::suspended() const {
    XML_ParsingStatus status;
    XML_GetParsingStatus(parser_.get(), &status);
    return status.parsing == XML_SUSPENDED;
}

ExpatParser::Outcome ExpatParser::outcome(XML_Status status) const {
    if (error_ || status == XML_STATUS_ERROR) return Outcome::failed;
    return frame_done_ ? Outcome::frame : Outcome::more;
}

Frame ExpatParser::take_frame() {
    frame_done_ = false;
    return std::exchange(frame_, Frame{});
}

StreamErrorCondition ExpatParser::explain_failure(std::string_view seen) const {
    if (error_) return *error_;
    switch (XML_GetErrorCode(parser_.get())) {
        case XML_ERROR_NO_MEMORY:
            return StreamErrorCondition::resource_constraint;
        // Without a DTD only the five predefined entities exist; RFC 6120 section 11.1.
        case XML_ERROR_UNDEFINED_ENTITY:
            return StreamErrorCondition::restricted_xml;
        case XML_ERROR_UNKNOWN_ENCODING:
        case XML_ERROR_INCORRECT_ENCODING:
            return StreamErrorCondition::unsupported_encoding;
        default:
            break;
    }
    auto const index = static_cast<std::size_t>(XML_GetErrorByteIndex(parser_.get()));
    auto const at = index - std::min(index, frame_begin_);
    // RFC 6120 section 4.9.3.22: bytes that break the rules of UTF-8 count as a wrong encoding.
    if (auto const bad = invalid_utf8(seen); bad && *bad <= at)
        return StreamErrorCondition::unsupported_encoding;
    if (at >= 2 && at < seen.size() && seen.substr(at - 2, 2) == "<!")
        return StreamErrorCondition::restricted_xml;  // <!DOCTYPE and its like, inside the stream
    return StreamErrorCondition::not_well_formed;
}

std::size_t ExpatParser::event_begin() const {
    return static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_.get()));
}

// For an empty-element tag the end event has no bytes and already stands behind the '>'.
std::size_t ExpatParser::event_end() const {
    return event_begin() + static_cast<std::size_t>(XML_GetCurrentByteCount(parser_.get()));
}

void ExpatParser::fail(StreamErrorCondition condition) {
    if (error_) return;
    error_ = condition;
    XML_StopParser(parser_.get(), XML_FALSE);
}

void ExpatParser::finish_frame(Frame::Kind kind) {
    frame_.kind = kind;
    frame_end_ = event_end();
    frame_done_ = true;
    XML_StopParser(parser_.get(), XML_TRUE);
}

void XMLCALL ExpatParser::on_start(void* self, const XML_Char* name, Attribute* attributes) {
    auto& parser = *static_cast<ExpatParser*>(self);
    if (parser.error_) return;
    guarded([&] { parser.start(name, attributes); }, parser.error_, parser.parser_.get());
}

void ExpatParser::start(const XML_Char* name, Attribute* attributes) {
    std::size_t count = std::exchange(namespace_declarations_, 0);
    for (auto* attribute = attributes; *attribute; attribute += 2) ++count;
    if (count > limits_.attributes) return fail(StreamErrorCondition::policy_violation);

    ++depth_;
    if (depth_ > limits_.depth + 1) return fail(StreamErrorCondition::policy_violation);
    if (!is_kept()) return;
    auto const [uri, local] = split(name);
    open_element(uri, local);
    if (depth_ == 1) open_stream(attributes);
    if (depth_ == 2) open_first_level(uri, attributes);
}

// Whether the innermost open element becomes a part of the frame: those that something depends on.
// A request of 16 KiB could have thousands of grandchildren, and may have to wait for its answer.
bool ExpatParser::is_kept() const {
    return depth_ <= 3 ||
           (depth_ <= 1 + open_.size() && frame_.root.is(Namespace::streams, "features"));
}

void ExpatParser::open_element(std::string_view uri, std::string_view local) {
    auto* element = &frame_.root;
    if (depth_ > 2) {
        auto& siblings = open_[depth_ - 3]->children;
        element = &siblings.emplace_back();
    }
    element->ns = namespace_of(uri);
    element->local = local;
    element->begin = event_begin() - frame_begin_;
    element->content_begin = event_end() - frame_begin_;
    if (depth_ > 1) open_[depth_ - 2] = element;
}

void ExpatParser::open_stream(Attribute* attributes) {
    // RFC 6120 section 4.9.3.10.
    if (!frame_.root.is(Namespace::streams, "stream"))
        return fail(StreamErrorCondition::invalid_namespace);
    read_attributes(attributes);
    finish_frame(Frame::Kind::stream_open);
}

void ExpatParser::open_first_level(std::string_view uri, Attribute* attributes) {
    // White space that is written otherwise (a reference, a CDATA section) stands before it.
    if (event_begin() != frame_begin_) return fail(StreamErrorCondition::bad_format);
    // Some servers take it for a restart, others for an element: two readings.
    if (frame_.root.is(Namespace::streams, "stream"))
        return fail(StreamErrorCondition::policy_violation);
    // Prosody finds who handles an element by a text, "stanza/iq/NAMESPACE:NAME" for the child of
    // an iq and "stanza/NAMESPACE:NAME" for anything else: in such a namespace it takes the element
    // itself for an iq with a child of that name.
    if (uri.starts_with("iq/")) return fail(StreamErrorCondition::invalid_namespace);
    read_attributes(attributes);
}

void ExpatParser::read_attributes(Attribute* attributes) {
    auto& known = frame_.attributes;
    for (; *attributes; attributes += 2) {
        std::string_view const name = attributes[0];
        const XML_Char* const value = attributes[1];
        if (name == "id")
            known.id = value;
        else if (name == "type")
            known.type = value;
        else if (name == "to")
            known.to = value;
        else if (name == "from")
            known.from = value;
        else if (name == "version")
            known.version = value;
        else if (name == xml_lang)
            known.lang = value;
        else if (is_addressing(split(name).local))
            known.qualified = true;
    }
}

void XMLCALL ExpatParser::on_end(void* self, const XML_Char*) {
    auto& parser = *static_cast<ExpatParser*>(self);
    if (!parser.error_) parser.end();
}

void ExpatParser::end() {
    // A stream that is closed by its own opening tag (the frame is done, and its root ends).
    if (frame_done_) return fail(StreamErrorCondition::bad_format);
    if (depth_ == 1) {
        if (event_begin() != frame_begin_) return fail(StreamErrorCondition::bad_format);
        --depth_;
        finished_ = true;
        return finish_frame(Frame::Kind::stream_close);
    }
    if (is_kept()) {
        auto& element = *open_[depth_ - 2];
        element.content_end = event_begin() - frame_begin_;
        element.end = event_end() - frame_begin_;
    }
    if (--depth_ == 1) finish_frame(Frame::Kind::stanza);
}

void XMLCALL ExpatParser::on_text(void* self, const XML_Char* text, int size) {
    auto& parser = *static_cast<ExpatParser*>(self);
    if (parser.error_) return;
    std::string_view const characters(text, static_cast<std::size_t>(size));
    if (parser.depth_ == 1) {
        for (char const c : characters)
            if (!is_xml_space(c)) return parser.fail(StreamErrorCondition::bad_format);
        return;
    }
    // The texts of features are read; those of stanzas may be passwords and are not even copied.
    if (parser.depth_ != 4 || !parser.is_kept()) return;
    auto& kept = parser.open_[2]->text;
    guarded([&] { kept += characters.substr(0, kept_text - std::min(kept.size(), kept_text)); },
            parser.error_, parser.parser_.get());
}

void XMLCALL ExpatParser::on_namespace(void* self, const XML_Char*, const XML_Char*) {
    ++static_cast<ExpatParser*>(self)->namespace_declarations_;
}

// RFC 6120 section 11.5 and 11.6.
void XMLCALL ExpatParser::on_declaration(void* self, const XML_Char* version,
                                         const XML_Char* encoding, int standalone) {
    auto& parser = *static_cast<ExpatParser*>(self);
    if (encoding && !is_utf8_name(encoding))
        return parser.fail(StreamErrorCondition::unsupported_encoding);
    if (version && std::string_view(version) != "1.0")
        return parser.fail(StreamErrorCondition::not_well_formed);
    if (standalone == 0) parser.fail(StreamErrorCondition::restricted_xml);
}

}  // namespace stanzagate::filters
