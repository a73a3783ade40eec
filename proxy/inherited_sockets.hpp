#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/address.hpp"
#include "config/admin_address.hpp"
#include "proxy/fd.hpp"
#include "proxy/log.hpp"

namespace stanzagate::proxy {

enum class SocketUse : std::uint8_t { any, door, admin };

// A listening socket on its way from one process to the next.
struct PassedSocket {
    int fd = -1;  // not owned
    SocketUse use = SocketUse::any;
    // A stanzagate has opened it. Else a service manager has, and keeps it open for longer than any
    // process of ours lives.
    bool ours = false;

    // As LISTEN_FDNAMES has it.
    std::string name() const;
    static PassedSocket named(int fd, std::string_view name);
};

// Where the passed ones begin, one after the other (SD_LISTEN_FDS_START).
inline constexpr int first_passed_descriptor = 3;

// A listening socket that was open before this process was.
struct InheritedSocket {
    Fd fd;
    config::AdminAddress where;  // what the kernel says
    SocketUse use = SocketUse::any;
    bool ours = false;
};

// What LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES say (sd_listen_fds(3)); nullptr where they are not
// set. Nothing where they are meant for another process.
std::vector<PassedSocket> passed_sockets(pid_t self, const char* pid, const char* count,
                                         const char* names);

// The listening sockets that a service manager (socket activation) or the process whose place this
// one takes (proxy/takeover.hpp) has passed on, each until somebody takes it.
//   take_admin(), take_left_admin(), then take() for each address with a port, then for those
//   without; close_rest()
class InheritedSockets {
public:
    InheritedSockets() = default;
    // What is no listening stream socket is closed, with a warning; of two descriptors of one
    // socket, one is kept.
    InheritedSockets(const std::vector<PassedSocket>& passed, const Log& log);
    // Takes the variables out of the environment, too. Before there are threads.
    static InheritedSockets from_environment(const Log& log);

    bool empty() const { return sockets_.empty(); }
    // All that listen at `endpoint`. Port 0 is any port: it takes what listens at the first one of
    // that address that is left.
    std::vector<InheritedSocket> take(config::Endpoint endpoint);
    // Port 0: only what was passed on as the admin's.
    std::optional<InheritedSocket> take_admin(const config::AdminAddress& address);
    // What is left of the admin's that a process of ours has opened at a file: nobody answers
    // there, and nobody else removes the file.
    std::optional<InheritedSocket> take_left_admin();
    // Nobody wants them: closed, with a warning each.
    void close_rest(const Log& log);

private:
    std::vector<InheritedSocket> sockets_;
};

}  // namespace stanzagate::proxy
