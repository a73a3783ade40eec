#include "proxy/session_end.hpp"

namespace stanzagate::proxy {

std::string_view to_string(SessionEnd end) {
    switch (end) {
        case SessionEnd::client_closed:
            return "client_closed";
        case SessionEnd::upstream_closed:
            return "upstream_closed";
        case SessionEnd::refused:
            return "refused";
        case SessionEnd::handshake_failed:
            return "handshake_failed";
        case SessionEnd::timeout:
            return "timeout";
        case SessionEnd::upstream_failed:
            return "upstream_failed";
        case SessionEnd::network_error:
            return "network_error";
        case SessionEnd::drained:
            return "drained";
        case SessionEnd::failed:
            return "failed";
    }
    return "network_error";
}

}  // namespace stanzagate::proxy
