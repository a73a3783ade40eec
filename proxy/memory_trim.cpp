#include "proxy/memory_trim.hpp"

#include <malloc.h>

#include <algorithm>
#include <utility>

namespace stanzagate::proxy {

MemoryTrim::MemoryTrim(Deadlines& deadlines, Release release, Pauses pauses)
    : release_(release),
      pauses_(pauses),
      deadline_(
          deadlines, [](void* self) { static_cast<MemoryTrim*>(self)->on_deadline(); }, this) {}

void MemoryTrim::began() {
    most_ = std::max(most_, ++live_);
}

void MemoryTrim::ended() {
    --live_;
    ++ended_;
    if (most_ - live_ >= std::max(fewest, most_ / 4)) {
        if (!std::exchange(is_soon_, true)) deadline_.set(pauses_.wave);
    } else if (most_ / 4 >= fewest && ended_ >= most_ / 4 && !deadline_.is_set()) {
        deadline_.set(pauses_.churn);
    }
}

void MemoryTrim::on_deadline() {
    is_soon_ = false;
    most_ = live_;
    ended_ = 0;
    release_();
}

void MemoryTrim::release_free_memory() {
    ::malloc_trim(0);
}

}  // namespace stanzagate::proxy
