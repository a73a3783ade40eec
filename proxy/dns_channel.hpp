#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

struct ares_channeldata;

namespace stanzagate::proxy {

struct DnsServers {
    // "192.0.2.1:53,[2001:db8::1]:53"; empty: those that resolv.conf names.
    std::string list{};
    std::filesystem::path resolv_conf{"/etc/resolv.conf"};
    std::uint16_t port = 53;  // of those
};

// c-ares on a worker's event loop. It opens and closes its sockets itself; here they are only
// waited for. Nothing blocks, and no thread is started.
//   Its timeouts come when tick() is called, oftener than they are to be kept.
// Asked is DNS and nothing else: no hosts file, no search domains, no aliases.
class DnsChannel {
public:
    // As c-ares calls back: `reply` is the server's whole answer, or empty.
    using Callback = void (*)(void* context, int status, int timeouts, unsigned char* reply,
                              int size);

    // A query that gets no answer is sent again once, and given up after `limit` where there is one
    // server, later where there are more. Throws std::runtime_error where c-ares cannot be set up.
    DnsChannel(boost::asio::io_context& io, std::chrono::milliseconds limit,
               const DnsServers& servers);
    // Calls back what is still asked for, with ARES_EDESTRUCTION.
    ~DnsChannel();
    DnsChannel(const DnsChannel&) = delete;
    DnsChannel& operator=(const DnsChannel&) = delete;

    // Asks for A records. Calls back exactly once, perhaps from within.
    void query(const std::string& name, Callback callback, void* context);
    void tick();
    // Whether all that was asked has been answered.
    bool is_idle() const;

private:
    class Socket;

    void on_state(int fd, bool readable, bool writable);
    void process(int readable, int writable);

    boost::asio::io_context& io_;
    ares_channeldata* channel_ = nullptr;
    std::map<int, std::shared_ptr<Socket>> sockets_;
};

}  // namespace stanzagate::proxy
