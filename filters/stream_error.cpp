#include "filters/stream_error.hpp"

#include "filters/xml_escape.hpp"

namespace stanzagate::filters {

std::string_view to_string(StreamErrorCondition condition) {
    switch (condition) {
        case StreamErrorCondition::bad_format:
            return "bad-format";
        case StreamErrorCondition::bad_namespace_prefix:
            return "bad-namespace-prefix";
        case StreamErrorCondition::host_unknown:
            return "host-unknown";
        case StreamErrorCondition::improper_addressing:
            return "improper-addressing";
        case StreamErrorCondition::internal_server_error:
            return "internal-server-error";
        case StreamErrorCondition::invalid_namespace:
            return "invalid-namespace";
        case StreamErrorCondition::not_authorized:
            return "not-authorized";
        case StreamErrorCondition::not_well_formed:
            return "not-well-formed";
        case StreamErrorCondition::policy_violation:
            return "policy-violation";
        case StreamErrorCondition::resource_constraint:
            return "resource-constraint";
        case StreamErrorCondition::restricted_xml:
            return "restricted-xml";
        case StreamErrorCondition::system_shutdown:
            return "system-shutdown";
        case StreamErrorCondition::undefined_condition:
            return "undefined-condition";
        case StreamErrorCondition::unsupported_encoding:
            return "unsupported-encoding";
        case StreamErrorCondition::unsupported_version:
            return "unsupported-version";
    }
    return "undefined-condition";
}

std::string stream_error(StreamErrorCondition condition, std::string_view detail,
                         std::string_view root) {
    std::string text = "<stream:error";
    if (root != stream_element) text += " xmlns:stream='http://etherx.jabber.org/streams'";
    text += "><";
    text += to_string(condition);
    text += " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>";
    text += detail;
    text += "</stream:error></";
    text += root;
    text += '>';
    return text;
}

std::string stream_header(const ResponseHeader& header) {
    std::string text =
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams'";
    append_attribute(text, "id", header.id);
    if (!header.from.empty()) append_attribute(text, "from", header.from);
    if (!header.to.empty()) append_attribute(text, "to", header.to);
    text += " version='1.0' xml:lang='en'>";
    return text;
}

}  // namespace stanzagate::filters
