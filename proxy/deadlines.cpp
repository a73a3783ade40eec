#include "proxy/deadlines.hpp"

namespace stanzagate::proxy {

void Deadline::set(Clock::duration from_now) {
    unlink();
    at_ = Clock::now() + from_now;
    deadlines_.add(*this);
}

void Deadlines::add(Deadline& deadline) {
    pending_.insert(deadline);
    if (deadline.at_ + grain < waiting_for_) wait();
}

void Deadlines::wait() {
    if (pending_.empty()) {
        waiting_for_ = Deadline::Clock::time_point::max();
        return;
    }
    waiting_for_ = pending_.begin()->at_ + grain;
    timer_.expires_at(waiting_for_);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) run();
    });
}

void Deadlines::run() {
    auto const now = Deadline::Clock::now();
    while (!pending_.empty() && pending_.begin()->at_ <= now) {
        auto& due = *pending_.begin();
        due.unlink();
        due.handler_(due.context_);
    }
    wait();
}

}  // namespace stanzagate::proxy
