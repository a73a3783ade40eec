#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/http_response.hpp"

namespace stanzagate::proxy {

// The requests of one HTTP connection that are not answered to the end, oldest first: each waits
// for its response, or with it for those before it (RFC 9112 section 9.3.2). Responses are taken
// out in pieces, so that a client that does not read costs a piece and not all that it asked for.
class WaitingRequests {
public:
    struct Request {
        std::uint64_t number = 0;
        bool head_only = false;  // a HEAD
        std::string sid{};       // of BOSH, where it has one
        std::vector<std::pair<std::string_view, std::string>> headers{};  // of any response
        std::optional<HttpResponse> response{};
    };

    bool empty() const { return requests_.empty(); }
    std::size_t size() const { return requests_.size(); }
    Request& add(std::uint64_t number, bool head_only);
    // nullptr: it waits no more.
    Request* find(std::uint64_t number);

    // The oldest has its response, or the rest of it.
    bool is_ready() const { return !requests_.empty() && requests_.front().response; }
    // The next bytes for the client, of as many responses as are ready. `last`: the number of the
    // request behind which the connection is closed.
    std::string take_piece(std::optional<std::uint64_t> last);

    // From the oldest on that has no response: what stood behind it could not be sent.
    std::vector<Request> give_up();

private:
    std::deque<Request> requests_;
    std::size_t sent_ = 0;  // of the oldest's body
    bool begun_ = false;    // its headers are sent
};

}  // namespace stanzagate::proxy
