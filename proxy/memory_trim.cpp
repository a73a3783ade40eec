#include "proxy/memory_trim.hpp"

#include <malloc.h>

#include <algorithm>

namespace stanzagate::proxy {

MemoryTrim::MemoryTrim(Deadlines& deadlines, Release release, std::chrono::milliseconds later)
    : release_(release),
      later_(later),
      deadline_(
          deadlines, [](void* self) { static_cast<MemoryTrim*>(self)->on_deadline(); }, this) {}

void MemoryTrim::began() {
    most_ = std::max(most_, ++live_);
}

void MemoryTrim::ended() {
    --live_;
    if (most_ - live_ >= std::max(fewest, most_ / 4) && !deadline_.is_set()) deadline_.set(later_);
}

void MemoryTrim::on_deadline() {
    most_ = live_;
    release_();
}

void MemoryTrim::release_free_memory() {
    ::malloc_trim(0);
}

}  // namespace stanzagate::proxy
