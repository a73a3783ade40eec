#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "config/config.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/doors.hpp"
#include "proxy/event_loop.hpp"
#include "proxy/fd.hpp"

namespace stanzagate::proxy {

class Worker;

// One worker's end of a listening address. Accepts in batches and hands each connection to the
// worker; when descriptors run out it pauses instead of spinning, and says so once.
class Listener final : public Pollable {
public:
    Listener(Worker& worker, Door door);
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    const std::string& key() const { return key_; }
    PassedSocket passed() const { return {socket_.get(), SocketUse::door, ours_}; }
    // How those who come from now on are served.
    void use(std::shared_ptr<const config::Listen> listen) { listen_ = std::move(listen); }
    // Closes the socket; who waits in it is not lost where another process has it, too. The object
    // must live on until this round of the loop is over.
    void stop();
    // The same where another process goes on with the socket. Who waits in it comes in first: that
    // they are there may have been told to this loop alone.
    void hand_over();
    void on_events(Side side, std::uint32_t events) override;
    void on_again() override;

private:
    void accept_batch();
    bool accept_some();
    void everybody_is_in();
    void pause(int error);

    Worker& worker_;
    std::string key_;
    std::shared_ptr<const config::Listen> listen_;
    Fd socket_;
    bool ours_;
    Deadline retry_;
    bool starved_ = false;
};

// Why nobody can listen at `endpoint`, if so. Asked before the shared sockets are opened: these
// would quietly divide the connections with another process that was started by mistake. The text
// is for people; `advice` is put behind it where another socket has the address.
std::optional<std::string> why_not_free(const config::Endpoint& endpoint, std::string_view advice);

// A socket that may listen, shared by port with those of other workers (SO_REUSEPORT). `endpoint`
// gets the port that the kernel chose, where it asked for port 0. The error is a text for people.
std::variant<Fd, std::string> bind_listening_socket(config::Endpoint& endpoint);
// From then on the kernel gives it connections, which are lost where it is closed. False: errno
// tells.
bool start_listening(const Fd& fd);
// Both.
std::variant<Fd, std::string> open_listening_socket(config::Endpoint& endpoint);

}  // namespace stanzagate::proxy
