#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <vector>

#include "filters/frame.hpp"

namespace stanzagate::proxy {

using filters::Side;

// Who is told of a socket's events. Aligned, so that a pointer to it has a bit free for the side.
class alignas(8) Pollable {
public:
    virtual void on_events(Side side, std::uint32_t events) = 0;
    // Asked for by Poller::again(): there is more to do without any event.
    virtual void on_again() = 0;

    // Both belong to the Poller.
    bool again_queued = false;
    bool buried = false;

protected:
    ~Pollable() = default;
};

// The sockets of a worker's sessions: an epoll instance of our own inside Asio's, edge-triggered,
// each socket registered once for its life. Asio's own readiness would cost an epoll_ctl for every
// wait and some 300 bytes for every socket.
class Poller {
public:
    explicit Poller(boost::asio::io_context& io);
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    // From now on, events of `fd` go to `who`. Closing the descriptor ends it. False: no memory.
    bool add(int fd, Pollable& who, Side side);
    // Calls who.on_again() before the worker sleeps, after everything that is ready now.
    void again(Pollable& who);
    // `who` is told of nothing any more and may be deleted once this turn is over.
    void bury(Pollable& who);

private:
    void wait();
    void drain();
    void run_again();

    boost::asio::io_context& io_;
    boost::asio::posix::stream_descriptor epoll_;
    std::vector<Pollable*> again_;
    bool again_posted_ = false;
};

}  // namespace stanzagate::proxy
