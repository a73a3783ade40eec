#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "config/admin_address.hpp"
#include "proxy/fd.hpp"
#include "proxy/inherited_sockets.hpp"

namespace stanzagate::proxy {

// A listening socket at an admin address. Of a UNIX socket it also owns the file: that goes with
// it, unless somebody has put another in its place.
class AdminSocket {
public:
    // A file that a process which is gone has left behind is replaced. The error is a text for
    // people. `leaving`: the listening socket that the new one is to replace, if any; both may be
    // of one port (127.0.0.1:9090 and 0.0.0.0:9090).
    static std::variant<AdminSocket, std::string> open(const config::AdminAddress& address,
                                                       std::optional<int> leaving = std::nullopt);

    // One that stands open already. Its file is this one's from now on, unless a service manager
    // has made it.
    static AdminSocket adopt(InheritedSocket socket);

    AdminSocket(AdminSocket&& other) noexcept;
    AdminSocket& operator=(AdminSocket&& other) noexcept;
    ~AdminSocket();

    int family() const;
    // Where it is: the port that the kernel chose, where port 0 was asked for.
    const config::AdminAddress& address() const { return address_; }
    // To whoever accepts; the file stays this one's.
    [[nodiscard]] int release() { return fd_.release(); }
    // No service manager has opened it.
    bool is_ours() const { return ours_; }
    // Another process has the socket, too, and its file is that one's.
    void leave_file() { owns_file_ = false; }

private:
    explicit AdminSocket(config::AdminAddress address) : address_(std::move(address)) {}
    bool bind_endpoint(config::Endpoint endpoint, std::optional<int> leaving);
    bool bind_file(const std::filesystem::path& file);
    bool own_file(const std::filesystem::path& file);
    void remove_file();

    config::AdminAddress address_;
    Fd fd_;
    bool ours_ = true;
    bool owns_file_ = false;
    ::dev_t device_ = 0;
    ::ino_t inode_ = 0;
};

// Closes a UNIX socket that a process before this one has opened. Its file goes, too, unless
// somebody listens there.
void remove_admin_socket(InheritedSocket socket);

inline constexpr std::chrono::seconds longest_admin_wait{10};

// A connection to an admin address, made within that time or not at all (then errno tells); each
// read and write on it has as long.
Fd connect_to_admin(const config::AdminAddress& address);

}  // namespace stanzagate::proxy
