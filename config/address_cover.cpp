#include "config/address_cover.hpp"

#include <algorithm>

namespace stanzagate::config {

AddressCover::AddressCover(const AddressMatch& match, const std::vector<NamedList>& lists)
    : networks_(match.networks) {
    for (const std::size_t place : match.lists) {
        const NamedList& list = lists[place];
        networks_.insert(networks_.end(), list.networks.begin(), list.networks.end());
        if (list.file) files_.push_back(place);
    }
    set_ = NetworkSet(networks_);
    everybody_ = set_.covers(*Network::parse("0.0.0.0/0")) && set_.covers(*Network::parse("::/0"));
}

bool AddressCover::holds_file(std::size_t list) const {
    return everybody_ || std::ranges::find(files_, list) != files_.end();
}

bool AddressCover::holds(const AddressCover& other) const {
    return hold(*this, *this, other);
}

bool AddressCover::hold(const AddressCover& one, const AddressCover& two,
                        const AddressCover& other) {
    return std::ranges::all_of(
               other.files_,
               [&](std::size_t list) { return one.holds_file(list) || two.holds_file(list); }) &&
           std::ranges::all_of(other.networks_, [&](const Network& network) {
               return one.holds(network) || two.holds(network);
           });
}

bool AddressCover::meet_only_in(const AddressCover* rest, const AddressCover& one,
                                const AddressCover& two) {
    const auto is_in_rest = [&](const Network& network) {
        return rest != nullptr && rest->holds(network);
    };
    const auto is_file_in_rest = [&](std::size_t list) {
        return rest != nullptr && rest->holds_file(list);
    };
    // Who stands in a file of one may be anybody of the other.
    const auto files_are_in_rest = [&](const AddressCover& side) {
        return std::ranges::all_of(side.files_, is_file_in_rest);
    };
    const auto is_in_rest_whole = [&](const AddressCover& side) {
        return files_are_in_rest(side) && std::ranges::all_of(side.networks_, is_in_rest);
    };
    if (is_in_rest_whole(one) || is_in_rest_whole(two)) return true;
    return files_are_in_rest(one) && files_are_in_rest(two) &&
           std::ranges::all_of(two.networks_, [&](const Network& network) {
               return is_in_rest(network) || !one.set_.overlaps(network);
           });
}

}  // namespace stanzagate::config
