#pragma once

#include <chrono>
#include <cstddef>

#include "proxy/deadlines.hpp"

namespace stanzagate::proxy {

// Gives memory back to the system once many sessions have ended. By itself the allocator keeps
// nearly all of it, 13 KiB of each: it returns only what lies above the last piece in use.
//   began() and ended() for each session, on the worker.
// It costs nothing until a quarter of the sessions have gone, and at least `fewest`; then one
// malloc_trim() a little later, when the wave is over: 11 ms after 5,000 sessions (measured).
class MemoryTrim {
public:
    static constexpr std::size_t fewest = 100;
    using Release = void (*)();

    explicit MemoryTrim(Deadlines& deadlines, Release release = release_free_memory,
                        std::chrono::milliseconds later = std::chrono::seconds(1));

    void began();
    void ended();

private:
    static void release_free_memory();
    void on_deadline();

    Release release_;
    std::chrono::milliseconds later_;
    Deadline deadline_;
    std::size_t live_ = 0;
    std::size_t most_ = 0;  // that lived at once since the last time
};

}  // namespace stanzagate::proxy
