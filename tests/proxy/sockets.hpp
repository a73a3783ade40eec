#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "proxy/fd.hpp"
#include "proxy/wire.hpp"

// Real sockets on loopback for tests, and a small epoll loop for the Wires under test.
namespace stanzagate::proxy::testing {

// Calls `step` until `holds`; false after ten seconds.
bool eventually(const std::function<bool()>& holds, const std::function<void()>& step = {});

// A connected pair of TCP sockets, the first non-blocking. A small `send_buffer` makes it block
// soon.
struct TcpPair {
    explicit TcpPair(int send_buffer = 0);

    Fd ours;
    Fd theirs;  // blocking, with a time limit
};

// The test's end of a connection.
void say(const Fd& fd, std::string_view bytes);
// Exactly that much, or less where the other side ends or is silent for ten seconds.
std::string hear(const Fd& fd, std::size_t size);
std::string hear_to_end(const Fd& fd);
void say_no_more(const Fd& fd);
// The last bytes and FIN in one segment.
void say_last(const Fd& fd, std::string_view bytes);
// Ends the connection with a RST.
void reset(Fd fd);

// Delivers epoll's events of one socket to its Wire, registered as proxy::Poller does.
class WireEvents {
public:
    explicit WireEvents(Wire& wire);

    // Waits for an event, at most so long, and passes it on. False: none came.
    bool wait(std::chrono::milliseconds limit = std::chrono::seconds(10));

private:
    Wire& wire_;
    Fd epoll_;
};

// How often the program under test called recv() and send() since the last reset.
struct SystemCalls {
    static std::size_t receives();
    static std::size_t sends();
    static void reset();
};

// As long as it lives, sockets that the program under test connects have buffers of that size.
class SmallBuffers {
public:
    explicit SmallBuffers(int size);
    ~SmallBuffers();
    SmallBuffers(const SmallBuffers&) = delete;
    SmallBuffers& operator=(const SmallBuffers&) = delete;
};

// The next calls of connect(), so many, fail so.
void fail_connects(int error, int calls);

}  // namespace stanzagate::proxy::testing
