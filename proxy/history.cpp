#include "proxy/history.hpp"

#include <string>

namespace stanzagate::proxy {

Minute Minute::of(const Totals& totals) {
    Minute minute;
    auto const by_action = totals.registrations_by_action();
    auto const count = [&](filters::Action action) {
        auto const found = by_action.find(std::string(filters::to_string(action)));
        return found == by_action.end() ? 0 : found->second;
    };
    minute.forwarded = count(filters::Action::forward);
    minute.redirected = count(filters::Action::redirect);
    minute.refused = count(filters::Action::refuse) + count(filters::Action::close);
    auto const is_session = [](ConnectionKind kind) { return kind != ConnectionKind::http; };
    totals.connections_total.each([&](ConnectionKind kind, std::uint64_t connections) {
        if (is_session(kind)) minute.connections += connections;
    });
    totals.stream_errors.each([&](auto, std::uint64_t errors) { minute.stream_errors += errors; });
    totals.relayed_bytes.each([&](auto, std::uint64_t bytes) { minute.relayed_bytes += bytes; });
    totals.connections.each([&](ConnectionKind kind, auto const& stages) {
        if (!is_session(kind)) return;
        stages.each([&](auto, std::uint64_t open) { minute.open += open; });
    });
    return minute;
}

Minute Minute::since(const Minute& before) const {
    return {.forwarded = forwarded - before.forwarded,
            .redirected = redirected - before.redirected,
            .refused = refused - before.refused,
            .connections = connections - before.connections,
            .stream_errors = stream_errors - before.stream_errors,
            .relayed_bytes = relayed_bytes - before.relayed_bytes,
            .open = open};
}

void History::minute_is_over(const Minute& totals) {
    marks_.push_back(totals);
    if (marks_.size() > most_minutes) marks_.pop_front();
}

std::vector<Minute> History::minutes(const Minute& totals) const {
    std::vector<Minute> minutes;
    for (std::size_t i = 1; i < marks_.size(); ++i)
        minutes.push_back(marks_[i].since(marks_[i - 1]));
    minutes.push_back(totals.since(marks_.back()));
    return minutes;
}

}  // namespace stanzagate::proxy
