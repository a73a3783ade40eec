#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/address.hpp"
#include "filters/policy.hpp"

namespace stanzagate::proxy {

// One decided registration request, for people to look at.
struct RecentDecision {
    std::chrono::system_clock::time_point when{};
    std::string host;  // the stream's
    std::string rule;
    filters::Action action = filters::Action::redirect;
    filters::RequestKind request = filters::RequestKind::get;
    filters::Transport transport = filters::Transport::starttls;
    std::optional<config::Address> peer{};  // empty: a balancer would not tell
};

// How an upstream's address has failed, lately or long ago.
struct UpstreamFailures {
    std::uint64_t count = 0;
    std::chrono::system_clock::time_point last{};
    std::string reason{};  // of the last
};

// What happened lately, for the status page: told by all workers, asked by the background loop.
// Any thread; nothing of it is on the way of a stanza.
class Recent {
public:
    using TimePoint = std::chrono::system_clock::time_point;

    static constexpr std::size_t most_decisions = 50;
    // Of upstreams: more than any configuration has, in case that it is changed for ever.
    static constexpr std::size_t most_addresses = 1024;

    void decided(RecentDecision decision);
    // The newest first.
    std::vector<RecentDecision> decisions() const;

    void upstream_failed(const std::string& address, std::string_view reason, TimePoint now);
    // By address, as configured.
    std::map<std::string, UpstreamFailures> upstreams() const;

private:
    mutable std::mutex mutex_;
    std::array<RecentDecision, most_decisions> decisions_{};
    std::uint64_t decided_ = 0;
    std::map<std::string, UpstreamFailures> upstreams_;
};

}  // namespace stanzagate::proxy
