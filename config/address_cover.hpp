#pragma once

#include <cstddef>
#include <vector>

#include "config/network_set.hpp"
#include "config/rules.hpp"

namespace stanzagate::config {

// Who is certainly in a rule's `from` or `not_from`, and who may be: networks and lists that stand
// in the configuration count by what they hold, lists in files only by being named, since what they
// hold changes at any time. All answers are about certainty; "no" means "perhaps not".
class AddressCover {
public:
    AddressCover(const AddressMatch& match, const std::vector<NamedList>& lists);

    // Whether no address is ever in this.
    bool is_empty() const { return networks_.empty() && files_.empty(); }
    // Whether every address of `other` is certainly in this.
    bool holds(const AddressCover& other) const;
    // Whether every address of `other` is certainly in one of the two.
    static bool hold(const AddressCover& one, const AddressCover& two, const AddressCover& other);
    // Whether every address of both `one` and `two` is certainly in `rest`, where there is one.
    static bool meet_only_in(const AddressCover* rest, const AddressCover& one,
                             const AddressCover& two);

private:
    bool holds(const Network& network) const { return set_.covers(network); }
    bool holds_file(std::size_t list) const;

    std::vector<Network> networks_;
    NetworkSet set_;                  // of networks_
    std::vector<std::size_t> files_;  // places in Config::lists
    bool everybody_ = false;          // every address there is
};

}  // namespace stanzagate::config
