#include "proxy/deadlines.hpp"

#include <algorithm>

namespace stanzagate::proxy {

using std::chrono::milliseconds;

void Deadline::set(Clock::duration from_now) {
    unlink();
    at_ = Clock::now() + from_now;
    deadlines_.pending_.insert(*this);
}

milliseconds Deadlines::sleep_time() const {
    if (pending_.empty()) return milliseconds::max();
    auto const left = pending_.begin()->at_ + grain - Deadline::Clock::now();
    // No longer than what epoll_wait() can be told.
    return std::clamp(std::chrono::ceil<milliseconds>(left), milliseconds(0),
                      milliseconds(std::chrono::hours(1)));
}

void Deadlines::pass(Deadline::Clock::duration time) {
    for (auto& deadline : pending_) deadline.at_ -= time;
}

void Deadlines::run() {
    if (pending_.empty()) return;
    auto const now = Deadline::Clock::now();
    while (!pending_.empty() && pending_.begin()->at_ <= now) {
        auto& due = *pending_.begin();
        due.unlink();
        due.handler_(due.context_);
    }
}

}  // namespace stanzagate::proxy
