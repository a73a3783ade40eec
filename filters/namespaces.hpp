#pragma once

#include <cstdint>
#include <string_view>

namespace stanzagate::filters {

// The XML namespaces that decide anything here. Names are always compared by namespace and local
// name, never by prefix.
enum class Namespace : std::uint8_t {
    none,              // no namespace at all
    client,            // jabber:client
    streams,           // http://etherx.jabber.org/streams
    tls,               // urn:ietf:params:xml:ns:xmpp-tls
    sasl,              // urn:ietf:params:xml:ns:xmpp-sasl
    sasl2,             // urn:xmpp:sasl:2
    iq_register,       // jabber:iq:register (XEP-0077)
    iq_auth,           // jabber:iq:auth (XEP-0078)
    pars,              // urn:xmpp:pars:0 (XEP-0445)
    extensible_ibr,    // urn:xmpp:register:0 (XEP-0389)
    compress,          // http://jabber.org/protocol/compress (XEP-0138)
    register_feature,  // http://jabber.org/features/iq-register
    compress_feature,  // http://jabber.org/features/compress
    limits,            // urn:xmpp:stream-limits:0 (XEP-0478)
    framing,           // urn:ietf:params:xml:ns:xmpp-framing (RFC 7395)
    httpbind,          // http://jabber.org/protocol/httpbind (XEP-0124)
    other,
};

Namespace namespace_of(std::string_view uri);

}  // namespace stanzagate::filters
