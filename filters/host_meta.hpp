#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Where a web client finds the doors of a host (XEP-0156): the documents that it asks for at
// /.well-known/host-meta and /.well-known/host-meta.json (RFC 6415, sections 2 and 3).
namespace stanzagate::filters {

inline constexpr std::string_view host_meta_path = "/.well-known/host-meta";
inline constexpr std::string_view host_meta_json_path = "/.well-known/host-meta.json";
inline constexpr std::string_view host_meta_content_type = "application/xrd+xml; charset=utf-8";
inline constexpr std::string_view host_meta_json_content_type = "application/json";

struct HostMetaLink {
    std::string rel;  // both UTF-8
    std::string href;

    bool operator==(const HostMetaLink&) const = default;
};

// What is served, and where. An empty path: this door is not there.
struct HostMetaDoors {
    std::string_view host;     // a name, an IPv4 address, or an IPv6 address in brackets
    std::uint16_t port = 443;  // that clients connect to; 443 is not written
    std::string_view websocket_path;
    std::string_view bosh_path;
};

// The links to them. Always wss:// and https://: a link must not lead out of TLS.
std::vector<HostMetaLink> host_meta_links(const HostMetaDoors& doors);

// An XRD document, and the same as JRD.
std::string host_meta_xml(std::span<const HostMetaLink> links);
std::string host_meta_json(std::span<const HostMetaLink> links);

}  // namespace stanzagate::filters
