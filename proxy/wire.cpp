#include "proxy/wire.hpp"

#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace stanzagate::proxy {

void Wire::close() {
    fd_.reset();
    unsent_.clear();
    ended_ = true;
    write_closed_ = true;
}

void Wire::on_events(std::uint32_t events) {
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) broken_ = true;
    if (hung_up_ || (events & EPOLLIN) != 0) readable_ = true;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        writable_ = true;
        flush();
    }
}

// A read that fills less than it could has emptied the socket: the next byte makes a new edge. Only
// a FIN that came along with the bytes makes none, hence hung_up_ (epoll(7), "Questions and
// answers", 9).
std::size_t Wire::receive(std::span<char> into) {
    auto const size = receive(into, 0);
    if (size < into.size() && !hung_up_) readable_ = false;
    return size;
}

std::size_t Wire::peek(std::span<char> into) {
    return receive(into, MSG_PEEK);
}

std::size_t Wire::receive(std::span<char> into, int flags) {
    if (!readable()) return 0;
    ssize_t received = 0;
    do {
        received = ::recv(fd_.get(), into.data(), into.size(), flags);
    } while (received < 0 && errno == EINTR);
    if (received > 0) return static_cast<std::size_t>(received);
    readable_ = false;
    if (received == 0)
        ended_ = true;
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        fail(errno);
    return 0;
}

void Wire::send(std::string_view bytes) {
    send(bytes, 0);
}

void Wire::send(std::string_view bytes, int flags) {
    if (write_closed_) return;
    if (!blocked()) bytes.remove_prefix(send_now(bytes, flags));
    unsent_.append(bytes);
}

void Wire::flush() {
    if (blocked()) unsent_.drop(send_now(unsent_.view(), 0));
    if (close_wanted_ && !blocked()) close_write();
}

void Wire::close_write() {
    close_wanted_ = true;
    if (blocked() || std::exchange(write_closed_, true)) return;
    ::shutdown(fd_.get(), SHUT_WR);
}

// An event says only that there is much room.
std::size_t Wire::outstanding() const {
    int in_kernel = 0;
    ::ioctl(fd_.get(), SIOCOUTQ, &in_kernel);
    return unsent_.size() + static_cast<std::size_t>(std::max(in_kernel, 0));
}

void Wire::send_before_more(std::string_view bytes) {
    send(bytes, MSG_MORE);
}

// How much is off our hands: everything, once the peer takes no more.
std::size_t Wire::send_now(std::string_view bytes, int flags) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        auto const n =
            ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | flags);
        if (n >= 0) {
            sent += static_cast<std::size_t>(n);
            continue;
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return sent;
        if (errno != EPIPE && errno != ECONNRESET) {
            fail(errno);
            return bytes.size();
        }
        // The peer takes no more. What it said before may still be there to be read; the end of
        // that tells the rest.
        write_closed_ = true;
        hung_up_ = readable_ = true;
        return bytes.size();
    }
    return sent;
}

void Wire::fail(int error) {
    error_ = error;
    ended_ = true;
    write_closed_ = true;
    unsent_.clear();
}

}  // namespace stanzagate::proxy
