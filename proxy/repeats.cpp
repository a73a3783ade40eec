#include "proxy/repeats.hpp"

#include <algorithm>
#include <array>

namespace stanzagate::proxy {
namespace {

// What differs from one session to the next and tells nothing of the cause.
constexpr std::array<std::string_view, 1> of_one_session{"session"};
constexpr std::array<std::string_view, 2> of_clients{"peer", "host"};

enum class Clients : std::uint8_t { apart, together };

bool is_among(std::string_view key, std::span<const std::string_view> keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

bool counts(const Field& field, Clients clients) {
    if (clients == Clients::together && is_among(field.key, of_clients)) return false;
    return !is_among(field.key, of_one_session);
}

std::string kind_of(std::string_view event, std::span<const Field> fields, Clients clients) {
    std::string kind(event);
    for (auto const& field : fields) {
        if (!counts(field, clients)) continue;
        kind += '\0';
        kind += field.value;
    }
    return kind;
}

}  // namespace

bool Repeats::is_first(config::LogLevel level, std::string_view event,
                       std::span<const Field> fields, Clock::time_point now, std::uint64_t times) {
    auto clients = Clients::apart;
    auto kind = kind_of(event, fields, clients);
    auto found = kinds_.find(kind);
    if (found == kinds_.end() && kinds_.size() >= most_kinds) {
        clients = Clients::together;
        kind = kind_of(event, fields, clients);
        found = kinds_.find(kind);
    }
    if (found != kinds_.end()) {
        found->second.more += times;
        return false;
    }
    Kind added{{level, std::string(event), {}}, now + window, times - 1};
    for (auto const& field : fields)
        if (counts(field, clients)) added.line.fields.push_back(field);
    kinds_.emplace(std::move(kind), std::move(added));
    return true;
}

std::vector<Repeats::Told> Repeats::over(Clock::time_point now) {
    std::vector<Told> told;
    for (auto next = kinds_.begin(); next != kinds_.end();) {
        auto const at = next++;
        auto& kind = at->second;
        if (now < kind.end) continue;
        if (kind.more == 0) {
            kinds_.erase(at);
            continue;
        }
        told.push_back(kind.line);
        told.back().fields.emplace_back("repeated", kind.more);
        kind.more = 0;
        kind.end = std::max(kind.end + window, now);
    }
    return told;
}

}  // namespace stanzagate::proxy
