#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "proxy/fd.hpp"
#include "proxy/inherited_sockets.hpp"
#include "proxy/log.hpp"

namespace stanzagate::proxy {

// One listening address, as one worker is told of it.
struct Door {
    std::string key;  // which it is, from one configuration to the next: the address as configured
    std::shared_ptr<const config::Listen> listen;
    Fd socket;         // where it is new; else the worker has one already
    bool ours = true;  // the socket: else a service manager has opened it
};

// Which addresses the process listens at.
//   open() tells what the workers need for a configuration; then listen() or, if the configuration
//   is not used after all, nothing.
class Doors {
public:
    // Sockets that stand open already: the first open() uses them for their addresses, and closes
    // those that no address names.
    void inherit(InheritedSockets sockets) { inherited_ = std::move(sockets); }
    // For each worker its doors. Addresses that are not listened at yet are bound, once for each
    // worker; nullopt, with the reason logged, where one cannot be: then none was opened. None of
    // them listens yet: whoever was in its queue would be lost with it, where the next address
    // cannot be bound. A worker may get more than one socket of an address, where so many were
    // inherited.
    std::optional<std::vector<std::vector<Door>>> open(const config::Config& config,
                                                       std::size_t workers, const Log& log);
    // The workers get them: from now on the process listens there, and the log says so. False, with
    // the reason logged, where it cannot.
    bool listen(const std::vector<std::vector<Door>>& doors, const Log& log);

private:
    // What the log is to say of an address.
    struct Bound {
        std::string address;
        config::TlsMode tls;
        std::string serve;
        std::size_t inherited;  // sockets
    };
    using Claims = std::map<std::string, std::vector<InheritedSocket>>;  // by key

    Claims claim(const config::Config& config, const Log& log);

    std::set<std::string> keys_;
    InheritedSockets inherited_;
    std::vector<Bound> bound_;  // by the last open()
};

}  // namespace stanzagate::proxy
