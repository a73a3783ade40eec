#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "filters/server_inquiry.hpp"

// Which lines to set at the server and at the gate. Where it is not certain which server it is,
// those for both that are known. Pure.
namespace stanzagate::proxy {

// Lines of one configuration file.
struct Setting {
    std::string where;  // "Prosody", "ejabberd, at the listener of port 15222"
    std::vector<std::string> lines;

    bool operator==(const Setting&) const = default;
};
using Settings = std::vector<Setting>;

// Whose lines they are, and what stands in them.
struct AdviceFor {
    filters::ServerKind server = filters::ServerKind::unknown;
    std::string host;  // the stream's `to`
    std::uint16_t port = 0;
    std::string server_address;
    std::string gate_address;  // as the server sees it
};

enum class ServerAdvice : std::uint8_t {
    listen,              // for clients, at the port
    listen_for_header,   // the same, and read a PROXY header
    expect_no_header,    // do not read one
    know_host,           // serve the host
    offer_starttls,      //
    trust_leg,           // what comes in the clear counts as secure
    offer_login,         // by whatever it knows passwords from
    no_compression,      //
    no_external,         // SASL EXTERNAL
    limit_registration,  // to some addresses
    offer_registration,  //
    no_redirect,         // of its own
    admit_address,       // let such a client in
};
Settings at_server(ServerAdvice advice, const AdviceFor& one);
// What disables these SASL mechanisms.
Settings without_mechanisms(const std::vector<std::string>& mechanisms, const AdviceFor& one);
// What lets stanzas of that size in.
Settings with_stanza_size(std::size_t bytes, const AdviceFor& one);

// At the gate: lines of one of its tables.
Setting at_gate(std::string_view table, std::vector<std::string> lines);

}  // namespace stanzagate::proxy
