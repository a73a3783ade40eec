#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "proxy/counters.hpp"

namespace stanzagate::proxy {

// What the status page draws of one minute.
struct Minute {
    std::uint64_t forwarded = 0;
    std::uint64_t redirected = 0;
    std::uint64_t refused = 0;  // refused, or the stream closed
    std::uint64_t connections = 0;
    std::uint64_t stream_errors = 0;
    std::uint64_t relayed_bytes = 0;
    std::uint64_t open = 0;  // sessions, at its end

    // The totals since the start.
    static Minute of(const Totals& totals);
    // What has come since `before`.
    Minute since(const Minute& before) const;
    bool operator==(const Minute&) const = default;
};

// The last hour by minutes, from totals that only grow.
//   minute_is_over() once a minute
class History {
public:
    static constexpr std::size_t most_minutes = 60;

    void minute_is_over(const Minute& totals);
    // The oldest first; the last is the minute that is not over yet.
    std::vector<Minute> minutes(const Minute& totals) const;

private:
    std::deque<Minute> marks_{Minute{}};  // the totals at the end of each
};

}  // namespace stanzagate::proxy
