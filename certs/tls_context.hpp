#pragma once

#include <string_view>

#include "certs/openssl_ptr.hpp"

// What ServerTls and UpstreamTls have in common, and what can be asked of an SSL of either.
namespace stanzagate::certs {

enum class TlsRole { server, client };

// A context with the settings that every TLS connection of the gate has: TLS 1.2 at least, forward
// secret AEAD suites only, no renegotiation, no compression, nothing cached, and no buffers held by
// an idle connection. Throws std::runtime_error where OpenSSL refuses (no memory, a broken system
// configuration).
SslContextPtr make_tls_context(TlsRole role);

// The server name (SNI) of a connection, "" where the client sent none; on the server's side it is
// known once the ClientHello was read. Valid as long as `ssl`.
std::string_view server_name(const SSL* ssl);

// The protocol that was agreed on by ALPN, "" where none was. Valid as long as `ssl`.
std::string_view alpn(const SSL* ssl);

// Has a record arrived in part, or been read in part? SSL_free_buffers() is not to be called then:
// OpenSSL before 3.0.14, 3.1.6, 3.2.2 and 3.3.1 frees what it goes on to use (CVE-2024-4741).
bool holds_part_of_record(const SSL* ssl);

// Was an earlier session taken up again, without a new proof of the certificate?
bool is_resumed(const SSL* ssl);

}  // namespace stanzagate::certs
