#include "config/network_set.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace stanzagate::config {
namespace {

// Few enough that a part spans two cache lines (IPv4) or eight (IPv6), and enough that the index of
// a million ranges stays in the second-level cache.
constexpr std::size_t part = 16;  // ranges

std::uint64_t big_endian(std::span<const std::uint8_t> bytes) {
    std::uint64_t number = 0;
    for (const std::uint8_t byte : bytes) number = number << 8U | byte;
    return number;
}

// The lowest `count` bits set.
std::uint64_t ones(unsigned count) {
    return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

}  // namespace

NetworkSet::NetworkSet(std::vector<Network> networks) : size_(networks.size()) {
    const auto is_v4 = [](const Network& network) { return network.base().is_v4(); };
    const auto v4_count = static_cast<std::size_t>(std::ranges::count_if(networks, is_v4));
    std::vector<Range<std::uint32_t>> v4;
    std::vector<Range<Wide>> v6;
    v4.reserve(v4_count);
    v6.reserve(networks.size() - v4_count);
    for (const Network& network : networks) {
        if (is_v4(network))
            v4.push_back(narrow_range(network));
        else
            v6.push_back(wide_range(network));
    }
    std::vector<Network>().swap(networks);  // gives its memory back before more is needed
    v4_ = Ranges<std::uint32_t>(std::move(v4));
    v6_ = Ranges<Wide>(std::move(v6));
}

bool NetworkSet::contains(const Address& address) const {
    if (address.is_v4()) {
        const std::uint32_t number = narrow(address);
        return v4_.cover({number, number});
    }
    const Wide number = wide(address);
    return v6_.cover({number, number});
}

bool NetworkSet::covers(const Network& network) const {
    return network.base().is_v4() ? v4_.cover(narrow_range(network))
                                  : v6_.cover(wide_range(network));
}

bool NetworkSet::overlaps(const Network& network) const {
    return network.base().is_v4() ? v4_.overlap(narrow_range(network))
                                  : v6_.overlap(wide_range(network));
}

std::size_t NetworkSet::memory_bytes() const {
    return sizeof *this + v4_.memory_bytes() + v6_.memory_bytes();
}

template <class Number>
NetworkSet::Ranges<Number>::Ranges(std::vector<Range<Number>> ranges) : ranges_(std::move(ranges)) {
    if (ranges_.empty()) return;
    std::ranges::sort(ranges_);
    auto kept = ranges_.begin();
    for (auto next = kept + 1; next != ranges_.end(); ++next) {
        const std::optional<Number> touching = after(kept->last);
        if (!touching || next->first <= *touching)
            kept->last = std::max(kept->last, next->last);
        else
            *++kept = *next;
    }
    ranges_.erase(kept + 1, ranges_.end());
    ranges_.shrink_to_fit();

    index_.reserve(ranges_.size() / part);
    for (std::size_t i = part - 1; i < ranges_.size(); i += part) index_.push_back(ranges_[i].last);
}

template <class Number>
const NetworkSet::Range<Number>* NetworkSet::Ranges<Number>::first_until(
    const Number& number) const {
    const auto above = std::ranges::lower_bound(index_, number);
    const auto from = static_cast<std::size_t>(above - index_.begin()) * part;
    const auto ranges = std::span(ranges_).subspan(from, std::min(part, ranges_.size() - from));
    const auto found = std::ranges::lower_bound(ranges, number, {}, &Range<Number>::last);
    return found != ranges.end() ? &*found : nullptr;
}

// The only range that can hold it is the first that ends where it begins, or later.
template <class Number>
bool NetworkSet::Ranges<Number>::cover(const Range<Number>& wanted) const {
    const auto* const found = first_until(wanted.first);
    return found != nullptr && found->first <= wanted.first && wanted.last <= found->last;
}

template <class Number>
bool NetworkSet::Ranges<Number>::overlap(const Range<Number>& wanted) const {
    const auto* const found = first_until(wanted.first);
    return found != nullptr && found->first <= wanted.last;
}

template <class Number>
std::size_t NetworkSet::Ranges<Number>::memory_bytes() const {
    return ranges_.capacity() * sizeof(Range<Number>) + index_.capacity() * sizeof(Number);
}

std::uint32_t NetworkSet::narrow(const Address& address) {
    return static_cast<std::uint32_t>(big_endian(address.bytes()));
}

NetworkSet::Wide NetworkSet::wide(const Address& address) {
    const auto bytes = address.bytes();
    return {big_endian(bytes.first(8)), big_endian(bytes.last(8))};
}

NetworkSet::Range<std::uint32_t> NetworkSet::narrow_range(const Network& network) {
    const std::uint32_t first = narrow(network.base());
    return {first, first | static_cast<std::uint32_t>(ones(32 - network.prefix_length()))};
}

NetworkSet::Range<NetworkSet::Wide> NetworkSet::wide_range(const Network& network) {
    const Wide first = wide(network.base());
    const unsigned host_bits = 128 - network.prefix_length();
    const unsigned in_high = host_bits > 64 ? host_bits - 64 : 0;
    return {first, {first.high | ones(in_high), first.low | ones(host_bits)}};
}

// nullopt after the very last.
std::optional<std::uint32_t> NetworkSet::after(std::uint32_t number) {
    ++number;
    if (number == 0) return std::nullopt;
    return number;
}

std::optional<NetworkSet::Wide> NetworkSet::after(const Wide& number) {
    Wide next = number;
    ++next.low;
    if (next.low == 0) ++next.high;
    if (next == Wide{}) return std::nullopt;
    return next;
}

}  // namespace stanzagate::config
