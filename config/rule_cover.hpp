#pragma once

#include <vector>

#include "config/rules.hpp"

namespace stanzagate::config {

// Networks in which others are looked for.
class NetworkCover {
public:
    explicit NetworkCover(std::vector<Network> networks);

    // Whether one of them holds all of `network`.
    bool holds(const Network& network) const;

private:
    std::vector<Network> sorted_;
};

// Whether everybody in `narrow` is certainly in `wide`: each network inside one network of it, each
// list named by it too. What lists hold is not looked at: it may change.
bool is_inside(const AddressMatch& narrow, const AddressMatch& wide);

// Whether every request that `later` matches is certainly matched by `earlier`, at any time and
// whatever lists hold.
bool swallows(const Rule& earlier, const Rule& later);

}  // namespace stanzagate::config
