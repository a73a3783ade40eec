#include "filters/websocket_reader.hpp"

#include <algorithm>
#include <utility>

#include "filters/document_reader.hpp"
#include "filters/jid.hpp"
#include "filters/xml_tags.hpp"

namespace stanzagate::filters {
namespace {

// What every header that opening_header() writes declares. The rest of it, which the client may
// have made long, says nothing about a message.
constexpr std::string_view same_declarations =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

// RFC 7395 section 3.3.3: a message is a document of its own. What it takes from the header would
// be read otherwise by whoever reads it alone; only the default namespace may be left out, as many
// clients do.
bool stands_alone(std::string_view element) {
    auto const prefixes = foreign_prefixes(element);
    return std::all_of(prefixes.begin(), prefixes.end(),
                       [](std::string_view prefix) { return prefix.empty(); });
}

bool is_empty(const Element& element) {
    return element.content_begin == element.content_end;
}

}  // namespace

std::optional<std::string> WebsocketReader::read(std::string_view message) {
    if (error_) return std::nullopt;
    switch (state_) {
        case State::opening:
            return read_first(message);
        case State::open:
            return read_next(message);
        case State::closed:
            break;
    }
    return refuse(StreamErrorCondition::policy_violation);
}

std::optional<std::string> WebsocketReader::read_first(std::string_view message) {
    DocumentReader reader(bare_header, limits_);
    auto const* const frame = reader.read(message);
    if (!frame) {
        // A header as it is on TCP is no element here, but what is wrong is its namespace.
        auto const tag = message.find('<', message.starts_with("<?xml") ? 1 : 0);
        auto const name =
            tag == std::string_view::npos ? std::string_view{} : written_name(message.substr(tag));
        bool const header = !reader.too_big() && (name == "stream" || name.ends_with(":stream"));
        return refuse(header ? StreamErrorCondition::invalid_namespace : reader.error(),
                      reader.too_big());
    }
    if (frame->root.is(Namespace::framing, "close")) {
        state_ = State::closed;
        return "";
    }
    // RFC 7395 section 3.3.2.
    if (!frame->root.is(Namespace::framing, "open"))
        return refuse(StreamErrorCondition::invalid_namespace);
    if (!is_empty(frame->root)) return refuse(StreamErrorCondition::bad_format);
    auto header = opening_header(frame->attributes);
    if (header.size() > limits_.frame_bytes)
        return refuse(StreamErrorCondition::policy_violation, true);
    host_ = domain_of(frame->attributes.to.value_or(""));
    state_ = State::open;
    return header;
}

std::optional<std::string> WebsocketReader::read_next(std::string_view message) {
    DocumentReader reader(same_declarations, limits_);
    auto const* const frame = reader.read(message);
    if (!frame) return refuse(reader.error(), reader.too_big());
    if (!stands_alone(frame->raw)) return refuse(StreamErrorCondition::not_well_formed);
    if (frame->root.ns != Namespace::framing) return std::string(frame->raw);
    // The upstream would get a header inside its stream.
    if (frame->root.local == "open") return refuse(StreamErrorCondition::policy_violation);
    if (frame->root.local != "close" || !is_empty(frame->root))
        return refuse(StreamErrorCondition::bad_format);
    state_ = State::closed;
    return std::string(closing_tag);
}

std::optional<std::string> WebsocketReader::refuse(StreamErrorCondition condition, bool too_big) {
    error_ = condition;
    too_big_ = too_big;
    return std::nullopt;
}

}  // namespace stanzagate::filters
