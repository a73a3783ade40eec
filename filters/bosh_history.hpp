#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "filters/shared_text.hpp"

namespace stanzagate::filters {

// The last responses of a BOSH session, for clients whose connection broke before they got them
// (XEP-0124 section 14.3). Those to pause requests do not count against the number kept.
class BoshHistory {
public:
    using Time = std::chrono::steady_clock::time_point;
    struct Response {
        std::uint64_t rid = 0;
        SharedText body;
        Time sent;
        bool paused = false;
        unsigned repeats = 0;  // of its request
    };

    void keep(Response response, std::uint64_t most) {
        responses_.push_back(std::move(response));
        auto const counted = [](const Response& kept) { return !kept.paused; };
        while (static_cast<std::uint64_t>(
                   std::count_if(responses_.begin(), responses_.end(), counted)) > most ||
               responses_.size() > 2 * most)
            responses_.pop_front();
    }

    // nullptr: it is kept no more, or never was.
    Response* find(std::uint64_t rid) {
        auto const found =
            std::find_if(responses_.begin(), responses_.end(),
                         [&](const Response& response) { return response.rid == rid; });
        return found == responses_.end() ? nullptr : &*found;
    }

    std::size_t size() const { return responses_.size(); }

private:
    std::deque<Response> responses_;
};

}  // namespace stanzagate::filters
