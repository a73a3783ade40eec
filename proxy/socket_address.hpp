#pragma once

#include <sys/socket.h>

#include "config/address.hpp"

namespace stanzagate::proxy {

// Between the kernel's form of an address and ours.
struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_storage);

    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    int family() const { return storage.ss_family; }
};

SocketAddress to_socket_address(const config::Endpoint& endpoint);
config::Endpoint to_endpoint(const SocketAddress& address);

// The socket's own end.
config::Endpoint local_endpoint(int fd);

// Small stanzas go out at once.
void set_no_delay(int fd);
// Probes that find a peer which is gone without a word (RFC 6120 section 4.6.4: not oftener than
// every five minutes).
void set_keepalive(int fd);

}  // namespace stanzagate::proxy
