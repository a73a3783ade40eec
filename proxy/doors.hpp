#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "proxy/fd.hpp"
#include "proxy/log.hpp"

namespace stanzagate::proxy {

// One listening address, as one worker is told of it.
struct Door {
    std::string key;  // which it is, from one configuration to the next: the address as configured
    std::shared_ptr<const config::Listen> listen;
    Fd socket;  // where it is new; else the worker has one already
};

// Which addresses the process listens at.
//   open() tells what the workers need for a configuration; then opened() or, if the configuration
//   is not used after all, nothing.
class Doors {
public:
    // For each worker its doors. Addresses that are not listened at yet are bound, once for each
    // worker; nullopt, with the reason logged, where one cannot be: then none was opened.
    std::optional<std::vector<std::vector<Door>>> open(const config::Config& config,
                                                       std::size_t workers, const Log& log) const;
    // The workers have got them.
    void opened(const std::vector<Door>& doors);

private:
    std::set<std::string> keys_;
};

}  // namespace stanzagate::proxy
