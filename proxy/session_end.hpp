#pragma once

#include <cstdint>
#include <string_view>

namespace stanzagate::proxy {

// Why a session ended. One per session, said once, in its last log line.
enum class SessionEnd : std::uint8_t {
    client_closed,
    upstream_closed,
    refused,           // by a limit, a stream error or the policy
    handshake_failed,  // TLS or PROXY header
    timeout,
    upstream_failed,
    network_error,
    drained,
    failed,  // a bug or no memory; the log says which
};
std::string_view to_string(SessionEnd end);

}  // namespace stanzagate::proxy
