#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/address.hpp"

namespace stanzagate::proxy {

// Looks names up as the system does (getaddrinfo), for all workers, on the process's background
// loop: a worker never waits for it.
class NameResolver {
public:
    // Addresses, or why there are none. Runs on the background loop.
    using Done = std::function<void(const std::vector<config::Endpoint>&, std::string_view error)>;

    explicit NameResolver(boost::asio::io_context& background) : resolver_(background) {}
    NameResolver(const NameResolver&) = delete;
    NameResolver& operator=(const NameResolver&) = delete;

    // From any thread. `done` is never called from within, nor once the background loop has ended.
    void resolve(const std::string& host, std::uint16_t port, Done done);

private:
    boost::asio::ip::tcp::resolver resolver_;
};

}  // namespace stanzagate::proxy
