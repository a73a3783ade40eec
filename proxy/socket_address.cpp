#include "proxy/socket_address.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cstring>

namespace stanzagate::proxy {

SocketAddress to_socket_address(const config::Endpoint& endpoint) {
    SocketAddress result;
    auto const bytes = endpoint.address.bytes();
    if (endpoint.address.is_v4()) {
        auto* const v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(endpoint.port);
        std::memcpy(&v4->sin_addr, bytes.data(), bytes.size());
        result.size = sizeof(sockaddr_in);
    } else {
        auto* const v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(endpoint.port);
        std::memcpy(&v6->sin6_addr, bytes.data(), bytes.size());
        result.size = sizeof(sockaddr_in6);
    }
    return result;
}

config::Endpoint to_endpoint(const SocketAddress& address) {
    if (address.family() == AF_INET6) {
        auto const* const v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
        config::Address::V6 bytes;
        std::memcpy(bytes.data(), &v6->sin6_addr, bytes.size());
        return {config::Address::from(bytes), ntohs(v6->sin6_port)};
    }
    auto const* const v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    config::Address::V4 bytes;
    std::memcpy(bytes.data(), &v4->sin_addr, bytes.size());
    return {config::Address::from(bytes), ntohs(v4->sin_port)};
}

config::Endpoint local_endpoint(int fd) {
    SocketAddress address;
    ::getsockname(fd, address.get(), &address.size);
    return to_endpoint(address);
}

namespace {

void set(int fd, int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

void set_no_delay(int fd) {
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void set_keepalive(int fd) {
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 600);   // seconds
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 300);  // seconds
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace stanzagate::proxy
