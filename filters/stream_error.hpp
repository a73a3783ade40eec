#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stanzagate::filters {

// The stream error conditions that the gate sends (RFC 6120 section 4.9.3).
enum class StreamErrorCondition : std::uint8_t {
    bad_format,
    bad_namespace_prefix,
    host_unknown,
    improper_addressing,
    internal_server_error,
    invalid_namespace,
    not_authorized,
    not_well_formed,
    policy_violation,
    resource_constraint,
    restricted_xml,
    system_shutdown,
    undefined_condition,
    unsupported_encoding,
    unsupported_version,
};

// The element name of the condition: "policy-violation".
std::string_view to_string(StreamErrorCondition condition);

inline constexpr std::string_view stream_element = "stream:stream";

// <stream:error>...</stream:error></stream:stream>. `detail` is an application-specific element,
// already XML, or empty. `root` is the name that the stream's header was written with: the closing
// tag must repeat it, and where it has another prefix than `stream`, that prefix is declared here.
std::string stream_error(StreamErrorCondition condition, std::string_view detail = {},
                         std::string_view root = stream_element);

// The application-specific element that goes with a size limit (RFC 6120 section 4.9.3.14).
inline constexpr std::string_view stanza_too_big = "<stanza-too-big xmlns='urn:xmpp:errors'/>";

// A response stream header of the gate's own (RFC 6120 section 4.7). Values are not yet escaped;
// an empty `from` or `to` is left out.
struct ResponseHeader {
    std::string_view id;
    std::string_view from;
    std::string_view to;
};
std::string stream_header(const ResponseHeader& header);

inline constexpr std::string_view closing_tag = "</stream:stream>";

}  // namespace stanzagate::filters
