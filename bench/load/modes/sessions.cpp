#include "bench/load/modes/sessions.hpp"

#include <algorithm>

namespace stanzagate::load {
namespace {

constexpr std::size_t setting_up_at_once = 32;

}  // namespace

void SessionsMode::set_up(std::size_t sessions) {
    wanted_ = sessions;
    clients_.reserve(wanted_);
    while (clients_.size() < std::min(wanted_, bound_ + setting_up_at_once)) connect_one();
    run_.loop.run([&] { return bound_ == wanted_; });
}

void SessionsMode::connect_one() {
    clients_.push_back(std::make_unique<Client>(run_.loop, run_.target, run_.tls, nullptr, *this));
}

void SessionsMode::on_open(Client& client) {
    client.play(login(client.door().header(client.host())));
}

void SessionsMode::on_played(Client& /*client*/) {
    ++bound_;
    if (clients_.size() < wanted_) connect_one();
}

void SessionsMode::on_closed(Client& /*client*/) {
    ++closed_;
}

}  // namespace stanzagate::load
