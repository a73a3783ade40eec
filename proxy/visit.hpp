#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "filters/server_inquiry.hpp"

// One connection to an upstream that is made to learn how it is set up, as plain values.
namespace stanzagate::proxy {

struct VisitPlan {
    const config::Host* host = nullptr;  // whose CA file and certificate name hold
    std::string name;                    // the stream's `to`
    config::UpstreamAddress address;
    config::ProxyHeader header = config::ProxyHeader::none;
    config::Endpoint source;  // for the PROXY header: who the server is told has come
    config::Endpoint destination;
    bool verify = true;  // as far as the host's upstream says so, too
};

struct Visit {
    enum class End : std::uint8_t {
        answered,             // its features came; `answers` has all that it said
        no_such_name,         // the upstream's name has no address
        not_connected,        // TCP
        starttls_failed,      // the clear part of STARTTLS
        tls_failed,           // the handshake, for another reason than the next
        certificate_refused,  // by us
        stream_error,         // before any features; `answers` has which
        no_xmpp,              // what came is no XMPP
        closed,               // without a word, or in the middle of one
        silent,               // nothing came within the time
    };
    End end = End::not_connected;
    std::string words;  // of the system or of OpenSSL, where they say why
    filters::ServerAnswers answers;
    config::ProxyHeader header = config::ProxyHeader::none;
    config::Address source = config::Address::from(config::Address::V4{});
    std::string gate;                            // our own address, as the server sees it
    std::string server;                          // its address
    std::vector<std::string> certificate_names;  // of a certificate that was not verified

    bool answered() const { return end == End::answered; }
    // The server has read the stream header, so it took the PROXY header (or the lack of one).
    bool was_read() const { return answered() || does_not_know_host(); }
    bool does_not_know_host() const {
        return end == End::stream_error &&
               (answers.stream_error == "host-unknown" || answers.stream_error == "host-gone");
    }
};

}  // namespace stanzagate::proxy
