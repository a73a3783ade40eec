#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace stanzagate::load {

// Durations of many like things, all of them kept.
class Latencies {
public:
    using Duration = std::chrono::nanoseconds;

    void reserve(std::size_t count) { all_.reserve(count); }
    void add(Duration duration) { all_.push_back(duration); }
    std::size_t count() const { return all_.size(); }
    // The smallest duration that `share` (0 to 1) of all do not exceed, in microseconds. 0: none.
    double percentile(double share);

private:
    std::vector<Duration> all_;
};

}  // namespace stanzagate::load
