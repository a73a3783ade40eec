#include "proxy/standstill.hpp"

namespace stanzagate::proxy {

Standstill::Standstill(const std::vector<Post>& loops, std::chrono::milliseconds longest) {
    for (auto const& post : loops) {
        post([state = state_] {
            std::unique_lock lock(state->mutex);
            ++state->standing;
            state->changed.notify_all();
            state->changed.wait(lock, [&] { return state->over; });
        });
    }
    std::unique_lock lock(state_->mutex);
    complete_ =
        state_->changed.wait_for(lock, longest, [&] { return state_->standing == loops.size(); });
}

Standstill::~Standstill() {
    std::lock_guard const lock(state_->mutex);
    state_->over = true;
    state_->changed.notify_all();
}

}  // namespace stanzagate::proxy
