// Any bytes, as if they were the beginning of a connection from a trusted balancer.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/proxy_protocol.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using stanzagate::require;
using namespace stanzagate::proxy;

void check_header(const ProxyProtocolHeader& header, std::string_view bytes) {
    require(header.size > 0 && header.size <= bytes.size());
    require(header.size <= max_proxy_header_bytes);
    const bool proxied = header.kind == ProxyProtocolHeader::Kind::proxied;
    require(header.source.has_value() == proxied && header.destination.has_value() == proxied);
    if (!proxied) return;

    // What we would pass on is understood in the same way, in both versions.
    for (const auto& written : {proxy_header_v1(*header.source, *header.destination),
                                proxy_header_v2(*header.source, *header.destination)}) {
        const auto again = parse_proxy_header(written);
        const auto* const read = std::get_if<ProxyProtocolHeader>(&again);
        require(read != nullptr && read->source == header.source &&
                read->destination == header.destination && read->size == written.size());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const ProxyProtocolResult whole = parse_proxy_header(bytes);
    if (const auto* const header = std::get_if<ProxyProtocolHeader>(&whole))
        check_header(*header, bytes);

    // Byte by byte: the first answer that is not "more" is the answer to the whole, and stays; a
    // header comes with its last byte and not later.
    bool answered = false;
    for (std::size_t known = 0; known <= size; ++known) {
        const ProxyProtocolResult result = parse_proxy_header(bytes.substr(0, known));
        const bool more = std::holds_alternative<ProxyProtocolNeedsMore>(result);
        require(more ? !answered : result == whole);
        if (const auto* const header = std::get_if<ProxyProtocolHeader>(&result))
            require(answered || header->size == known);
        answered = !more;
        if (known > max_proxy_header_bytes) require(answered);
    }
    require(answered != std::holds_alternative<ProxyProtocolNeedsMore>(whole));
    return 0;
}
