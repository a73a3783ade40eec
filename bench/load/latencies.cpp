#include "bench/load/latencies.hpp"

#include <algorithm>
#include <cmath>

namespace stanzagate::load {

double Latencies::percentile(double share) {
    if (all_.empty()) return 0;
    auto const rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(all_.size())));
    auto const nth = all_.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
    std::nth_element(all_.begin(), nth, all_.end());
    return std::chrono::duration<double, std::micro>(*nth).count();
}

}  // namespace stanzagate::load
