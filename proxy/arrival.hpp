#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "proxy/admission.hpp"
#include "proxy/channel.hpp"

namespace stanzagate::proxy {

// Who has come through a door, as far as that is known before the first request: handed from who
// accepted the connection to who serves it.
struct Arrival {
    std::string id;  // for the log
    std::shared_ptr<const config::Listen> door;
    config::Endpoint peer;
    bool peer_known = true;  // false: a balancer would not tell whose connection it is
    config::Endpoint destination;
    Ticket ticket;
};

}  // namespace stanzagate::proxy
