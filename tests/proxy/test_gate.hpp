#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "proxy/worker.hpp"
#include "tests/proxy/tls_client.hpp"

namespace stanzagate::proxy::testing {

// An upstream of which the test holds the sockets.
class TestUpstream {
public:
    explicit TestUpstream(int receive_buffer = 0);

    std::uint16_t port() const { return port_; }
    // The next connection; invalid where none comes within ten seconds.
    Fd accept() const;
    // Whether one has come that was not accepted.
    bool has_waiting() const;

private:
    Fd listener_;
    std::uint16_t port_ = 0;
};

// What goes out and in by a channel of either kind.
class Client {
public:
    Client(Fd fd, bool with_tls);

    // Through TLS, where the channel has it. The clear part of STARTTLS is the test's.
    bool handshake();
    void say(std::string_view text);
    std::string hear(std::size_t size);
    std::string hear_until(std::string_view mark);
    std::string hear_to_end();
    void say_no_more();
    // The last words and the end (close_notify, FIN) in one segment.
    void say_last(std::string_view text);
    // A close_notify has come.
    bool told_end() const { return tls_ && tls_->tls().told_end(); }
    Fd& fd() { return tls_ ? tls_->fd() : fd_; }

private:
    Fd fd_;
    std::unique_ptr<TlsConnection> tls_;
    std::string heard_;
};

// Of the clients' sockets, at the gate's end; 0: as the system likes.
struct Buffers {
    int send = 0;
    int receive = 0;
};

// One Worker on a thread of its own, or several, each with a door of each kind: "starttls",
// "direct", "none"; and "all" (direct) and "all-none", which serve HTTP as well. In front of
// example.org at `upstream`; 127.0.0.3 speaks for others there. Ends when destroyed. Captures
// standard error, where its log goes.
class TestGate {
public:
    // `settings` are further TOML, before the listeners.
    TestGate(const TestUpstream& upstream, std::string_view settings, Buffers buffers = {},
             unsigned workers = 1);
    ~TestGate();
    TestGate(const TestGate&) = delete;
    TestGate& operator=(const TestGate&) = delete;

    // A connection to a door, through TLS.
    Client connect(std::string_view door, unsigned worker = 0) const;
    // From another address of this machine.
    Client connect_from(std::string_view address, std::string_view door) const;
    Fd dial(std::string_view door, unsigned worker = 0, std::string_view from = {}) const;

    Worker& worker() { return *workers_.front(); }
    const Recent& recent() const { return recent_; }
    // Says more and more by `say`, which tells how much, until the first worker passes on no more.
    void say_until_stuck(Direction direction, const std::function<std::size_t()>& say);
    // Time passes for the first worker, which needs not be waited for.
    void pass(std::chrono::seconds time);
    // Whether a session of it ends so once time has passed.
    bool ends_in_time(SessionEnd why);
    void drain(std::chrono::milliseconds grace);
    // Waits until the workers are done, then returns its log, line by line.
    std::vector<std::string> join();

private:
    std::vector<Door> open_doors(std::vector<config::Endpoint>& endpoints, Buffers buffers) const;

    Log log_{{}};
    Admission admission_;
    SaidOnce said_;
    boost::asio::io_context background_{1};  // not run: no upstream here has a name
    NameResolver resolver_{background_};
    ListLookups lookups_{background_, log_};
    SharedQuotas quotas_;
    SharedInvitations invitations_;
    BoshDirectory bosh_;
    Recent recent_;
    std::shared_ptr<const Snapshot> snapshot_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::vector<config::Endpoint>> doors_;  // of each worker
    std::vector<std::thread> threads_;
};

// The lines of one event.
std::vector<std::string> events(const std::vector<std::string>& log, std::string_view name);

}  // namespace stanzagate::proxy::testing
