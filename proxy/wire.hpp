#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "proxy/fd.hpp"
#include "proxy/kept_bytes.hpp"

namespace stanzagate::proxy {

// A non-blocking TCP socket under edge-triggered epoll: remembers what the last events allow, so
// that no system call is made in vain, and keeps what the kernel would not take.
//   on_events() tells what epoll said; receive() and send() at any time.
class Wire {
public:
    Wire() = default;
    explicit Wire(Fd fd) : fd_(std::move(fd)) {}

    int fd() const { return fd_.get(); }
    bool is_open() const { return static_cast<bool>(fd_); }
    void close();

    void on_events(std::uint32_t events);

    // At most one recv(). 0: nothing is there now, or the peer has ended (see ended()).
    std::size_t receive(std::span<char> into);
    // What the next receive() would bring, without taking it.
    std::size_t peek(std::span<char> into);
    // Takes all of it: what the kernel does not take at once is kept until flush().
    void send(std::string_view bytes);
    // Sends what was kept.
    void flush();
    // Sends FIN once everything kept has gone out.
    void close_write();
    // The same, but the bytes wait for what follows at once: more, or the end.
    void send_before_more(std::string_view bytes);

    // An event said that the socket can be written to: where it was connecting, that is over.
    bool writable() const { return writable_; }
    bool readable() const { return readable_ && !ended_; }
    // Bytes are waiting for the kernel: whoever produces more should stop until they are gone.
    bool blocked() const { return !unsent_.empty(); }
    // The bytes that the peer has not taken, here and in the kernel: less, where it has since.
    std::size_t outstanding() const;
    // The peer sends nothing more: it closed its side, or the connection broke (error() is set).
    bool ended() const { return ended_; }
    // The peer's end was announced: all that it will ever send has arrived.
    bool hung_up() const { return hung_up_; }
    // Both directions are gone: nothing can be said to this peer any more.
    bool broken() const { return broken_ || error_ != 0; }
    bool close_requested() const { return close_wanted_ || write_closed_; }
    // The same, but only where this end asked for it, not where the peer takes no more.
    bool close_wanted() const { return close_wanted_; }
    int error() const { return error_; }

private:
    std::size_t receive(std::span<char> into, int flags);
    void send(std::string_view bytes, int flags);
    std::size_t send_now(std::string_view bytes, int flags);
    void fail(int error);

    Fd fd_;
    int error_ = 0;
    bool writable_ = false;
    bool readable_ = false;
    bool broken_ = false;
    bool hung_up_ = false;  // the peer's end was announced: read on until it is reached
    bool ended_ = false;
    bool close_wanted_ = false;
    bool write_closed_ = false;
    KeptBytes unsent_;
};

}  // namespace stanzagate::proxy
