#include "proxy/waiting_requests.hpp"

#include <algorithm>
#include <iterator>

namespace stanzagate::proxy {
namespace {

// What is kept where the client takes none of it, but for headers.
constexpr std::size_t piece_bytes = std::size_t{64} * 1024;

}  // namespace

WaitingRequests::Request& WaitingRequests::add(std::uint64_t number, bool head_only) {
    requests_.push_back({number, head_only, {}, {}, {}});
    return requests_.back();
}

WaitingRequests::Request* WaitingRequests::find(std::uint64_t number) {
    auto const found = std::find_if(requests_.begin(), requests_.end(),
                                    [&](auto const& request) { return request.number == number; });
    return found == requests_.end() ? nullptr : &*found;
}

std::string WaitingRequests::take_piece(std::optional<std::uint64_t> last) {
    std::string piece;
    while (is_ready() && piece.size() < piece_bytes) {
        auto const& oldest = requests_.front();
        if (!std::exchange(begun_, true))
            piece += write_http_head(*oldest.response, oldest.number != last);
        auto const rest = body_to_send(*oldest.response).substr(sent_);
        auto const taken = rest.substr(0, piece_bytes - std::min(piece.size(), piece_bytes));
        piece += taken;
        sent_ += taken.size();
        if (taken.size() < rest.size()) break;
        requests_.pop_front();
        sent_ = 0;
        begun_ = false;
    }
    return piece;
}

std::vector<WaitingRequests::Request> WaitingRequests::give_up() {
    auto const first = std::find_if(requests_.begin(), requests_.end(),
                                    [](auto const& request) { return !request.response; });
    std::vector<Request> given_up(std::make_move_iterator(first),
                                  std::make_move_iterator(requests_.end()));
    requests_.erase(first, requests_.end());
    return given_up;
}

}  // namespace stanzagate::proxy
