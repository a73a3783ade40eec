#pragma once

#include <string>
#include <string_view>

#include "certs/openssl_ptr.hpp"

namespace stanzagate::certs::testing {

// A TLS client that takes what it is shown: it looks at no certificate.
struct ClientSettings {
    std::string server_name = {};    // "" sends no SNI
    std::string alpn = {};           // "xmpp-client,h2"; "" offers nothing
    int version = 0;                 // TLS1_2_VERSION: this one only; 0: any
    SSL_SESSION* session = nullptr;  // to be resumed
    const char* suites_tls12 = "ALL:@SECLEVEL=0";
    const char* signatures = nullptr;  // that it can check: "ECDSA+SHA256"; nullptr: OpenSSL's
};
SslPtr make_client(const ClientSettings& settings);

// A client and a server that talk in memory. The handshake runs in the constructor, to the end or
// until both have given up; a client that got through also reads the tickets it was sent.
class Conversation {
public:
    Conversation(SslPtr client, SslPtr server);

    bool connected() const { return client_end_.done && server_end_.done; }
    // The number of the alert that ended the handshake, as its receiver saw it; 0 where none did.
    int alert_to_client() const { return client_end_.alert; }
    int alert_to_server() const { return server_end_.alert; }
    // Why a side gave up.
    const std::string& client_error() const { return client_end_.error; }
    const std::string& server_error() const { return server_end_.error; }

    SSL* client() const { return client_.get(); }
    SSL* server() const { return server_.get(); }
    bool client_was_shown(const X509* certificate) const;
    SessionPtr client_session() const;
    // What arrives at the server when the client writes `text`, or the other way round.
    std::string send_to_server(std::string_view text) const;
    std::string send_to_client(std::string_view text) const;

private:
    struct End {
        bool done = false;
        bool failed = false;
        int alert = 0;
        std::string error;

        void step(SSL* ssl);
    };

    SslPtr client_;
    SslPtr server_;
    End client_end_;
    End server_end_;
};

}  // namespace stanzagate::certs::testing
