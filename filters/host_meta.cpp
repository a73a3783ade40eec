#include "filters/host_meta.hpp"

#include "filters/xml_escape.hpp"

namespace stanzagate::filters {
namespace {

std::string address_of(std::string_view scheme, const HostMetaDoors& doors, std::string_view path) {
    constexpr std::uint16_t own_port = 443;  // of both schemes
    std::string text(scheme);
    text += "://";
    text += doors.host;
    if (doors.port != own_port) text += ':' + std::to_string(doors.port);
    text += path;
    return text;
}

// RFC 8259, section 7.
void append_json(std::string& json, std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    json += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20U) {
            json += "\\u00";
            json += digits[byte >> 4U];
            json += digits[byte & 15U];
            continue;
        }
        if (c == '"' || c == '\\') json += '\\';
        json += c;
    }
    json += '"';
}

}  // namespace

std::vector<HostMetaLink> host_meta_links(const HostMetaDoors& doors) {
    std::vector<HostMetaLink> links;
    if (!doors.websocket_path.empty())
        links.push_back(
            {"urn:xmpp:alt-connections:websocket", address_of("wss", doors, doors.websocket_path)});
    if (!doors.bosh_path.empty())
        links.push_back(
            {"urn:xmpp:alt-connections:xbosh", address_of("https", doors, doors.bosh_path)});
    return links;
}

std::string host_meta_xml(std::span<const HostMetaLink> links) {
    std::string xml =
        "<?xml version='1.0' encoding='utf-8'?>\n"
        "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n";
    for (const HostMetaLink& link : links) {
        xml += "  <Link";
        append_attribute(xml, "rel", link.rel);
        append_attribute(xml, "href", link.href);
        xml += "/>\n";
    }
    xml += "</XRD>\n";
    return xml;
}

std::string host_meta_json(std::span<const HostMetaLink> links) {
    std::string json = "{\"links\":[";
    for (const HostMetaLink& link : links) {
        if (!json.ends_with('[')) json += ',';
        json += "{\"rel\":";
        append_json(json, link.rel);
        json += ",\"href\":";
        append_json(json, link.href);
        json += '}';
    }
    json += "]}\n";
    return json;
}

}  // namespace stanzagate::filters
