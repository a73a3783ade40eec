#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/mode.hpp"

namespace stanzagate::load {

// Those that come all at once: most ask to register and are told where to do so, some talk nonsense
// in a stream, some talk no TLS, and a crowd comes from one address, of which some are turned away.
class Storm final {
public:
    using Failed = std::function<void(const std::string& why)>;

    Storm(Run& run, Failed failed);
    ~Storm();

    void burst(std::uint64_t connections);
    bool over() const { return here_ == 0; }
    // Forgets those that are gone, between two turns; says who waits for too long.
    void sweep(Clock::time_point now);
    void report(Report& into) const;

private:
    class Visitor;
    enum class Kind : std::uint8_t { asks, in_a_crowd, talks_nonsense, talks_no_tls };

    void add(Kind kind, in_addr_t from);

    Run& run_;
    Failed failed_;
    std::vector<std::unique_ptr<Visitor>> visitors_;
    std::uint64_t here_ = 0;
    std::uint64_t come_ = 0;
    std::uint64_t crowds_ = 0;
    std::uint64_t asked_ = 0;  // that were told, twice: for their get and for their set
    std::uint64_t turned_away_ = 0;
    std::uint64_t nonsense_ = 0;
    std::uint64_t no_tls_ = 0;
};

}  // namespace stanzagate::load
