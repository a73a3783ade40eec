#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bench/load/loop.hpp"

namespace stanzagate::load {

// "127.0.0.1:5223". Throws where it is no IPv4 address with a port.
sockaddr_in parse_address(const std::string& text);

Fd listen_on(const sockaddr_in& address);
// Does not wait. `source`: the address to come from, in network order; 0: any.
Fd connect_to(const sockaddr_in& address, in_addr_t source = 0);
// An empty Fd: nobody is waiting.
Fd accept_from(int listening);

// A non-blocking TCP socket in a Loop, that keeps what the kernel does not take.
class Socket {
public:
    enum class Read { bytes, nothing, ended, reset };

    Socket(Loop& loop, Watcher& owner, Fd fd, std::uint32_t events);

    // At most one recv(). `size` is what came.
    Read receive(std::span<char> into, std::size_t& size);
    // The same, but the kernel drops the bytes: what a sink costs is not measured.
    Read discard(std::size_t& size);

    void send(std::string_view bytes);
    // What was kept goes out, when the socket is writable.
    void flush();
    bool blocked() const { return !unsent_.empty(); }
    // Tell the owner whenever the socket takes more (EPOLLOUT), until told otherwise.
    void want_writable(bool wanted);
    // Until told otherwise, what comes is left where it is.
    void want_readable(bool wanted);
    void close_write();  // FIN, once everything is out
    void close() { fd_.reset(); }
    void reset();  // RST: what is still under way is lost
    // The error of a connect() that has come to its end; 0 where it worked.
    int connect_error() const;

private:
    Read result(ssize_t received, std::size_t& size) const;
    void update_events();

    Loop& loop_;
    Watcher& owner_;
    Fd fd_;
    std::uint32_t events_;
    bool writable_wanted_ = false;
    bool readable_wanted_ = true;
    bool close_wanted_ = false;
    std::string unsent_;
};

}  // namespace stanzagate::load
