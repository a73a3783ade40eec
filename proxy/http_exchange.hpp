#pragma once

#include <cstdint>

namespace stanzagate::proxy {

class Worker;

// One HTTP request that waits for its response: which connection of which worker it is of. A value
// that may outlive the connection, but not the worker.
struct HttpExchange {
    Worker* worker = nullptr;
    std::uint64_t connection = 0;
    std::uint64_t request = 0;

    bool operator==(const HttpExchange&) const = default;
};

}  // namespace stanzagate::proxy
