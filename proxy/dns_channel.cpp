#include "proxy/dns_channel.hpp"

#include <ares.h>
#include <arpa/nameser.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace stanzagate::proxy {
namespace {

using boost::asio::posix::descriptor_base;

void require(int status, std::string_view what) {
    if (status != ARES_SUCCESS)
        throw std::runtime_error(std::string(what) + ": " + ares_strerror(status));
}

}  // namespace

// One of c-ares's sockets. Its number may be used again once it is closed, so whoever waits holds
// on to nothing but a weak pointer.
class DnsChannel::Socket : public std::enable_shared_from_this<Socket> {
public:
    Socket(DnsChannel& channel, int fd) : channel_(channel), descriptor_(channel.io_, fd) {}
    ~Socket() { let_go(); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    void want(bool readable, bool writable) {
        read_.wanted = readable;
        write_.wanted = writable;
        wait(read_, descriptor_base::wait_read);
        wait(write_, descriptor_base::wait_write);
    }

    // The descriptor is c-ares's to close.
    void let_go() { descriptor_.release(); }

private:
    struct Direction {
        bool wanted = false;
        bool waiting = false;
    };

    void wait(Direction& direction, descriptor_base::wait_type what) {
        if (!direction.wanted || std::exchange(direction.waiting, true)) return;
        descriptor_.async_wait(what, [weak = weak_from_this(), &direction,
                                      what](const boost::system::error_code& error) {
            auto const socket = weak.lock();
            if (error || !socket) return;
            direction.waiting = false;
            if (direction.wanted) socket->tell(what);
            // c-ares may have closed it by now.
            if (socket->descriptor_.is_open()) socket->wait(direction, what);
        });
    }

    void tell(descriptor_base::wait_type what) {
        int const fd = descriptor_.native_handle();
        bool const is_read = what == descriptor_base::wait_read;
        channel_.process(is_read ? fd : ARES_SOCKET_BAD, is_read ? ARES_SOCKET_BAD : fd);
    }

    DnsChannel& channel_;
    boost::asio::posix::stream_descriptor descriptor_;
    Direction read_;
    Direction write_;
};

DnsChannel::DnsChannel(boost::asio::io_context& io, std::chrono::milliseconds limit,
                       const DnsServers& servers)
    : io_(io) {
    // Once in the life of the process: c-ares counts these calls without a lock.
    static int const library = ares_library_init(ARES_LIB_INIT_ALL);
    require(library, "ares_library_init");

    std::string lookups = "b";  // DNS; "f" would be the hosts file
    std::string resolv_conf = servers.resolv_conf.string();
    ares_options options{};
    options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    // The second of two tries is given twice the time of the first.
    options.timeout = std::max(1, static_cast<int>(limit.count() / 3));
    options.tries = 2;
    options.lookups = lookups.data();
    options.resolvconf_path = resolv_conf.data();
    options.udp_port = servers.port;
    options.tcp_port = servers.port;
    options.sock_state_cb = [](void* self, int fd, int readable, int writable) {
        static_cast<DnsChannel*>(self)->on_state(fd, readable != 0, writable != 0);
    };
    options.sock_state_cb_data = this;
    require(ares_init_options(&channel_, &options,
                              ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                  ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF | ARES_OPT_UDP_PORT |
                                  ARES_OPT_TCP_PORT | ARES_OPT_SOCK_STATE_CB),
            "DNS cannot be set up");
    if (servers.list.empty()) return;
    if (int const status = ares_set_servers_ports_csv(channel_, servers.list.c_str());
        status != ARES_SUCCESS) {
        ares_destroy(channel_);
        require(status, "DNS servers " + servers.list);
    }
}

DnsChannel::~DnsChannel() {
    ares_destroy(channel_);
}

void DnsChannel::query(const std::string& name, Callback callback, void* context) {
    ares_query(channel_, name.c_str(), ns_c_in, ns_t_a, callback, context);
}

void DnsChannel::tick() {
    process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

bool DnsChannel::is_idle() const {
    timeval room{};
    return ares_timeout(channel_, nullptr, &room) == nullptr;
}

void DnsChannel::process(int readable, int writable) {
    ares_process_fd(channel_, readable, writable);
}

// Comes before c-ares closes the socket, with neither wanted.
void DnsChannel::on_state(int fd, bool readable, bool writable) {
    auto found = sockets_.find(fd);
    if (!readable && !writable) {
        if (found == sockets_.end()) return;
        // Asio must have let go of it before the number is used again, whoever still holds it.
        found->second->let_go();
        sockets_.erase(found);
        return;
    }
    if (found == sockets_.end())
        found = sockets_.emplace(fd, std::make_shared<Socket>(*this, fd)).first;
    found->second->want(readable, writable);
}

}  // namespace stanzagate::proxy
