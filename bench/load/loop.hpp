#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "proxy/fd.hpp"

namespace stanzagate::load {

using proxy::Fd;
using Clock = std::chrono::steady_clock;

// Who is told of a descriptor's events.
class Watcher {
public:
    virtual void on_events(std::uint32_t events) = 0;

protected:
    ~Watcher() = default;
};

// Level-triggered epoll. Closing a descriptor ends it. A watcher may delete itself as the last
// thing it does in on_events(), and nobody else: others may have an event in the same batch.
class Loop {
public:
    Loop();

    void add(int fd, Watcher& who, std::uint32_t events);
    void change(int fd, Watcher& who, std::uint32_t events);
    // Until done() says so; throws where nothing happens for `patience`: a proxy hangs.
    void run(const std::function<bool()>& done);

private:
    static constexpr std::chrono::milliseconds patience{20'000};

    Fd epoll_;
};

}  // namespace stanzagate::load
