#include "bench/load/socket.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace stanzagate::load {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::system_category(), what);
}

const sockaddr* general(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

Fd new_socket() {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) fail("socket");
    return fd;
}

// Stanzas go out as they are written: what the proxies cost shall not hang on Nagle's algorithm.
void set_options(int fd) {
    int const on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

sockaddr_in parse_address(const std::string& text) {
    auto const colon = text.rfind(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (colon == std::string::npos ||
        ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1)
        throw std::invalid_argument("no address with a port: " + text);
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1))));
    return address;
}

Fd listen_on(const sockaddr_in& address) {
    auto fd = new_socket();
    int const on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd.get(), general(address), sizeof address) != 0) fail("bind");
    if (::listen(fd.get(), SOMAXCONN) != 0) fail("listen");
    return fd;
}

Fd connect_to(const sockaddr_in& address, in_addr_t source) {
    auto fd = new_socket();
    set_options(fd.get());
    if (source != 0) {
        sockaddr_in from{};
        from.sin_family = AF_INET;
        from.sin_addr.s_addr = source;
        // So that a port need not be free for all destinations.
        int const on = 1;
        ::setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        if (::bind(fd.get(), general(from), sizeof from) != 0) fail("bind");
    }
    if (::connect(fd.get(), general(address), sizeof address) != 0 && errno != EINPROGRESS)
        fail("connect");
    return fd;
}

Fd accept_from(int listening) {
    Fd fd(::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd && errno != EAGAIN && errno != ECONNABORTED) fail("accept");
    if (fd) set_options(fd.get());
    return fd;
}

Socket::Socket(Loop& loop, Watcher& owner, Fd fd, std::uint32_t events)
    : loop_(loop), owner_(owner), fd_(std::move(fd)), events_(events) {
    loop_.add(fd_.get(), owner_, events_);
}

Socket::Read Socket::receive(std::span<char> into, std::size_t& size) {
    return result(::recv(fd_.get(), into.data(), into.size(), 0), size);
}

// MSG_TRUNC on TCP: see tcp(7).
Socket::Read Socket::discard(std::size_t& size) {
    constexpr std::size_t most = std::size_t{1} << 20U;
    return result(::recv(fd_.get(), nullptr, most, MSG_TRUNC), size);
}

Socket::Read Socket::result(ssize_t received, std::size_t& size) const {
    size = 0;
    if (received == 0) return Read::ended;
    if (received > 0) {
        size = static_cast<std::size_t>(received);
        return Read::bytes;
    }
    return errno == EAGAIN || errno == EINTR ? Read::nothing : Read::reset;
}

void Socket::send(std::string_view bytes) {
    while (!blocked() && !bytes.empty()) {
        auto const sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) break;
        if (sent < 0) return;  // the next read tells
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    unsent_ += bytes;
    update_events();
}

void Socket::flush() {
    if (blocked()) send(std::exchange(unsent_, {}));
    if (close_wanted_) close_write();
}

void Socket::want_writable(bool wanted) {
    writable_wanted_ = wanted;
    update_events();
}

void Socket::want_readable(bool wanted) {
    readable_wanted_ = wanted;
    update_events();
}

void Socket::reset() {
    linger const at_once{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd_.reset();
}

void Socket::close_write() {
    close_wanted_ = true;
    if (!blocked()) ::shutdown(fd_.get(), SHUT_WR);
}

int Socket::connect_error() const {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

void Socket::update_events() {
    std::uint32_t const wanted =
        (readable_wanted_ ? EPOLLIN : 0U) | (writable_wanted_ || blocked() ? EPOLLOUT : 0U);
    if (std::exchange(events_, wanted) != wanted) loop_.change(fd_.get(), owner_, wanted);
}

}  // namespace stanzagate::load
