#include "proxy/refusals.hpp"

#include <chrono>

namespace stanzagate::proxy {

Refusals::Refusals(Deadlines& deadlines, const Log& log)
    : log_(log),
      deadline_(deadlines, [](void* self) { static_cast<Refusals*>(self)->tell(); }, this) {}

void Refusals::add(Admission::Refusal refusal, const config::Address& peer) {
    Kind kind{refusal, std::nullopt};
    if (refusal != Admission::Refusal::connections) kind.second = peer;
    if (auto const found = more_.find(kind); found != more_.end()) {
        ++found->second;
        return;
    }
    write(kind, 1);
    if (more_.size() == most_kinds) return;
    more_.emplace(std::move(kind), 0);
    if (!deadline_.is_set()) deadline_.set(std::chrono::seconds(1));
}

void Refusals::write(const Kind& kind, std::uint64_t times) const {
    auto const& [refusal, peer] = kind;
    log_.write_first(config::LogLevel::warning, "refused_connections",
                     {{"reason", to_string(refusal)}, {"peer", peer ? peer->to_string() : ""}},
                     times);
}

void Refusals::tell() {
    for (auto const& [kind, times] : more_)
        if (times != 0) write(kind, times);
    more_.clear();
}

}  // namespace stanzagate::proxy
