#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "filters/bosh_session.hpp"
#include "filters/stream_cutter.hpp"
#include "tests/filters/canonical.hpp"
#include "tests/fuzz/require.hpp"

// A BOSH session with a client, a server and a clock that do anything. What goes upstream is a row
// of well-formed streams; every request is answered at most once, well-formed, in order and in
// time, and with the same bytes when it is sent again; what the server said comes out once and in
// order, all of it where the end is told; and the session ends once and then says nothing.
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

// What a response carries: the bytes between the tags of its <body/>.
std::string_view payload_of(std::string_view body) {
    char quote = 0;
    std::size_t at = 0;
    for (; at < body.size() && (quote != 0 || body[at] != '>'); ++at)
        if (body[at] == quote)
            quote = 0;
        else if (quote == 0 && (body[at] == '\'' || body[at] == '"'))
            quote = body[at];
    if (at == 0 || body[at - 1] == '/') return {};
    body.remove_prefix(at + 1);
    constexpr std::string_view end = "</body>";
    require(body.ends_with(end), "a body", body);
    return body.substr(0, body.size() - end.size());
}

// What of the server's bytes is for the client, cut in one piece.
std::string all_that_is_said(std::string_view server) {
    std::string said;
    for (auto const& piece : StreamCutter().cut(server)) {
        if (piece.kind == StreamPiece::Kind::close) break;
        said += piece.xml;
        if (piece.kind == StreamPiece::Kind::error) break;
    }
    return said;
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
                return say(rest);
            case 'G':
                server_done_ = true;
                return apply(session_.server_gone(now_));
            case 'T':
                server_done_ = true;
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
        auto const said = all_that_is_said(server_);
        require(said.starts_with(told_), "once and in order", told_);
        require(!must_be_all_ || told_ == said, "all of it", told_);
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
        open_[id] = {body->rid.value_or(0), now_};
        apply(session_.request(id, std::move(*body), now_));
    }

    void say(std::string_view bytes) {
        if (session_.blocked()) return;
        if (!server_done_) server_ += bytes;
        apply(session_.from_server(bytes, now_));
    }

    void lose(BoshRequestId id) {
        lost_.insert(open_.extract(id).mapped().rid);
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
        for (auto const& [id, request] : open_)
            require(now_ < request.since + std::chrono::seconds(60), "within wait", "");
    }

    void apply(const BoshEffects& effects) {
        auto const nothing = !effects.ended && effects.to_upstream.empty();
        require(!ended_ || nothing, "over is over", effects.to_upstream);
        for (auto const& response : effects.responses) {
            auto const request = open_.extract(response.request);
            require(!request.empty(), "answers what is open", response.body.text());
            if (response.status == 200) hear(request.mapped().rid, response.body.text());
        }
        require(open_.size() <= 4, "no more than it allows", "");
        upstream_ += effects.to_upstream;
        ended_ = ended_ || effects.ended;
        require(ended_ == session_.ended(), "it says when it is over", "");
        if (ended_) require(!session_.deadline(), "over is over", "");
        bool const refused = effects.ended == BoshEnd::violation;
        if (std::exchange(end_told_, false) && effects.ended && !refused) must_be_all_ = true;
    }

    void hear(std::uint64_t rid, const std::string& body) {
        require(!canonical(body).empty(), "a document", body);
        if (body == write_body({{"type", "error"}})) return;  // it is to be sent again
        if (auto const before = answered_.find(rid); before != answered_.end()) {
            require(body == before->second || is_end(body), "the same again", body);
            return;
        }
        told_ += payload_of(body);
        end_told_ = end_told_ || is_end(body);
        if (is_end(body)) return;
        // Who sends again what was lost hears what was kept for it.
        require(answered_.empty() || answered_.rbegin()->first < rid || lost_.contains(rid),
                "in order", body);
        answered_[rid] = body;
    }

    static bool is_end(std::string_view body) {
        return body.starts_with(
            "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'");
    }

    struct Open {
        std::uint64_t rid = 0;
        BoshSession::Time since;
    };

    BoshSession session_;
    BoshSession::Time now_{};
    BoshRequestId last_id_ = 0;
    std::map<BoshRequestId, Open> open_;
    std::map<std::uint64_t, std::string> answered_;  // by rid
    std::set<std::uint64_t> lost_;                   // rids whose connection was
    std::string upstream_;
    std::string server_;  // what it has said
    std::string told_;    // and what of it the client was given
    bool server_done_ = false;
    bool end_told_ = false;     // by a response of this step
    bool must_be_all_ = false;  // since the end was told
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
