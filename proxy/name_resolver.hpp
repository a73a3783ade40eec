#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/address.hpp"

namespace stanzagate::proxy {

// Looks names up as the system does (getaddrinfo), for all workers. That may take as long as the
// system's resolver likes, and nothing can end it sooner: so it happens on threads that nobody
// waits for, neither a worker nor the end of the process.
class NameResolver {
public:
    // Addresses, or why there are none. Runs on the background loop.
    using Done = std::function<void(const std::vector<config::Endpoint>&, std::string_view error)>;

    // Look-ups that are under way at once; what comes on top waits for one of them to end.
    static constexpr unsigned most_threads = 8;

    explicit NameResolver(boost::asio::io_context& background);
    // Waits for nobody: a name that was not found by then is never answered for.
    ~NameResolver();
    NameResolver(const NameResolver&) = delete;
    NameResolver& operator=(const NameResolver&) = delete;

    // From any thread. `done` is never called from within, nor once the background loop has ended.
    void resolve(const std::string& host, std::uint16_t port, Done done);

private:
    struct Queue;

    std::shared_ptr<Queue> queue_;  // with the threads, which may outlive us
};

}  // namespace stanzagate::proxy
