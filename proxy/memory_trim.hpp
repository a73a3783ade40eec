#pragma once

#include <chrono>
#include <cstddef>

#include "proxy/deadlines.hpp"

namespace stanzagate::proxy {

// Gives memory back to the system once many sessions have ended. By itself the allocator keeps
// nearly all of it, 13 KiB of each: it returns only what lies above the last piece in use. And
// where sessions come and go, each that stays lies where there was room then, between what
// handshakes left.
//   began() and ended() for each session, on the worker.
// It costs nothing until a quarter of the sessions have gone, and at least `fewest`; then one
// malloc_trim() a little later, when the wave is over: 11 ms after 5,000 sessions (measured). Where
// as many have gone but others came in their place, once a minute at most.
class MemoryTrim {
public:
    static constexpr std::size_t fewest = 100;
    struct Pauses {
        std::chrono::milliseconds wave = std::chrono::seconds(1);
        std::chrono::milliseconds churn = std::chrono::minutes(1);
    };
    using Release = void (*)();

    explicit MemoryTrim(Deadlines& deadlines, Release release = release_free_memory)
        : MemoryTrim(deadlines, release, Pauses()) {}
    MemoryTrim(Deadlines& deadlines, Release release, Pauses pauses);

    void began();
    void ended();

private:
    static void release_free_memory();
    void on_deadline();

    Release release_;
    Pauses pauses_;
    Deadline deadline_;
    bool is_soon_ = false;  // the deadline is that of a wave
    std::size_t live_ = 0;
    std::size_t most_ = 0;   // that lived at once since the last time
    std::size_t ended_ = 0;  // since then
};

}  // namespace stanzagate::proxy
