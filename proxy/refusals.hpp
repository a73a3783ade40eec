#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "config/address.hpp"
#include "proxy/admission.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/log.hpp"

namespace stanzagate::proxy {

// What a worker tells the log of connections that it turns away: the first of each address at once,
// and once a second how many more there were. So a flood costs a look into a small table for each,
// and neither text nor the lock that all workers share.
class Refusals {
public:
    static constexpr std::size_t most_kinds = 512;  // beyond them the log is told of each

    Refusals(Deadlines& deadlines, const Log& log);
    Refusals(const Refusals&) = delete;
    Refusals& operator=(const Refusals&) = delete;

    void add(Admission::Refusal refusal, const config::Address& peer);
    // What was not told yet: by itself, and at the end.
    void tell();

private:
    // Where the gate is full, who comes last has done nothing, and is not named.
    using Kind = std::pair<Admission::Refusal, std::optional<config::Address>>;

    void write(const Kind& kind, std::uint64_t times) const;

    const Log& log_;
    std::map<Kind, std::uint64_t> more_;  // in this second, after the first
    Deadline deadline_;
};

}  // namespace stanzagate::proxy
