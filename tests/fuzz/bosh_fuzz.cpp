#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "filters/bosh_session.hpp"
#include "tests/filters/canonical.hpp"
#include "tests/fuzz/require.hpp"

// A BOSH session with a client, a server and a clock that do anything. What goes upstream is a row
// of well-formed streams; every request is answered at most once, well-formed, and in time; what
// the server said comes out once and in order; and the session ends once and then says nothing.
//   byte 0: the settings; the rest: what happens, each after a byte 0xFF: a letter and the bytes
//   that go with it, see happen()
namespace {

using stanzagate::require;
using namespace stanzagate::filters;

constexpr FrameLimits limits{.frame_bytes = 2000, .depth = 20, .attributes = 30};

BoshSettings settings_for(unsigned choice) {
    BoshSettings settings;
    if (choice % 2 == 1) settings.polling = std::chrono::seconds(0);
    if (choice % 4 >= 2) settings.hold = 1;
    settings.response_bytes = 1000;
    return settings;
}

class Play {
public:
    explicit Play(unsigned choice)
        : session_(settings_for(choice), "S",
                   [](std::string_view text) { return "H" + std::string(text); }) {}

    void happen(std::string_view what) {
        if (what.empty()) return;
        auto const rest = what.substr(1);
        switch (what[0]) {
            case 'r':
                return request(rest);
            case 'g':
                if (!open_.empty()) lose(open_.begin()->first);
                return;
            case 's':
                if (!session_.blocked()) apply(session_.from_server(rest, now_));
                return;
            case 'G':
                return apply(session_.server_gone(now_));
            case 'T':
                return apply(session_.terminate("system-shutdown", now_));
            case 'w':
                return apply(session_.upstream_takes(rest.empty(), now_));
            case 't':
                return pass(std::chrono::milliseconds(500) * (rest.empty() ? 1 : rest[0] & 0x7F));
            default:
                return;
        }
    }

    void check() const {
        require(open_.empty() || !ended_, "nobody waits for ever", "");
        std::string_view upstream = upstream_;
        while (!upstream.empty()) {
            // Each stream of the client's, up to where it opened the next one.
            auto const next = upstream.find("<?xml version='1.0'?><stream:stream", 1);
            std::string const stream(upstream.substr(0, next));
            auto const elements = canonical_elements(stream);
            require(elements.empty() || elements.back() != "broken", "well-formed", stream);
            if (!stream.ends_with("</stream:stream>"))
                require(canonical_elements(stream + "<x/>").size() == elements.size() + 1,
                        "whole elements", stream);
            upstream.remove_prefix(stream.size());
        }
    }

private:
    void request(std::string_view bytes) {
        auto body = read_body(bytes, limits);
        if (!body) return;
        auto const id = ++last_id_;
        open_[id] = now_;
        apply(session_.request(id, std::move(*body), now_));
    }

    void lose(BoshRequestId id) {
        open_.erase(id);
        apply(session_.request_gone(id, now_));
    }

    void pass(std::chrono::milliseconds time) {
        auto const until = now_ + time;
        for (auto at = session_.deadline(); at && *at <= until; at = session_.deadline()) {
            now_ = std::max(now_, *at);
            apply(session_.tick(now_));
            require(session_.deadline() != at, "a deadline is done with", "");
        }
        now_ = until;
        for (auto const& [id, since] : open_)
            require(now_ < since + std::chrono::seconds(60), "within wait", "");
    }

    void apply(const BoshEffects& effects) {
        auto const nothing = !effects.ended && effects.to_upstream.empty();
        require(!ended_ || nothing, "over is over", effects.to_upstream);
        for (auto const& response : effects.responses) {
            require(open_.erase(response.request) == 1, "answers what is open",
                    response.body.text());
            if (response.status != 200) continue;
            require(!canonical(response.body.text()).empty(), "a document", response.body.text());
        }
        require(open_.size() <= 4, "no more than it allows", "");
        upstream_ += effects.to_upstream;
        ended_ = ended_ || effects.ended;
        require(ended_ == session_.ended(), "it says when it is over", "");
        if (ended_) require(!session_.deadline(), "over is over", "");
    }

    BoshSession session_;
    BoshSession::Time now_{};
    BoshRequestId last_id_ = 0;
    std::map<BoshRequestId, BoshSession::Time> open_;
    std::string upstream_;
    bool ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    std::string const script(data + 1, data + size);
    static_cast<void>(sid_of(script));
    Play play(data[0]);
    std::string_view rest = script;
    while (!rest.empty()) {
        auto const end = std::min(rest.find('\xFF'), rest.size());
        play.happen(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    play.check();
    return 0;
}
