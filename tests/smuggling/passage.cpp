#include "tests/smuggling/passage.hpp"

#include "tests/filters/gate_driver.hpp"
#include "tests/filters/test_config.hpp"

namespace stanzagate::smuggling {
namespace {

using namespace filters;

constexpr std::string_view upstream_answer =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' from='example.org' id='up' version='1.0'>"
    "<stream:features/>";

// Those of the client's frames, in order, that what was forwarded consists of.
std::vector<KeptFrame> frames_in(std::string_view forwarded, const Pieces& pieces,
                                 std::string& broken_promise) {
    std::vector<KeptFrame> elements;
    for (auto& frame : frame_up(pieces).frames) {
        if (!forwarded.starts_with(frame.raw)) continue;
        forwarded.remove_prefix(frame.raw.size());
        if (frame.kind == Frame::Kind::stanza) elements.push_back(std::move(frame));
    }
    if (!forwarded.empty()) broken_promise = "what was forwarded are no frames of the client";
    return elements;
}

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
        ++found;
    return found;
}

}  // namespace

Passage pass(const Policy& policy, std::string_view peer, const Pieces& pieces) {
    GateDriver driver(policy, peer_at(peer));
    bool greeted = false;
    for (auto const piece : pieces) {
        driver.send(Side::client, piece);
        bool const connected = !driver.got(Side::upstream).empty();
        if (connected && !std::exchange(greeted, true))
            driver.send(Side::upstream, upstream_answer);
    }
    Passage passage;
    passage.forwarded = driver.got(Side::upstream);
    passage.broken_promise = driver.broken_promise;
    passage.elements = frames_in(passage.forwarded, pieces, passage.broken_promise);
    passage.verdict = driver.stream_error ? std::string(to_string(*driver.stream_error)) : "ok";
    passage.verdict += " " + std::to_string(passage.elements.size());
    auto const answered = count(driver.got(Side::client), "<iq xmlns='jabber:client' ");
    if (answered > 0) passage.verdict += " answered " + std::to_string(answered);
    return passage;
}

std::string Passage::document() const {
    auto const begin = forwarded.find('<', forwarded.starts_with("<?") ? 1 : 0);
    if (begin == std::string::npos) return "";
    auto const framing = frame_up({forwarded});
    if (framing.frames.empty()) return "";
    bool const closed = framing.frames.back().kind == Frame::Kind::stream_close;
    auto const& header = framing.frames.front();
    auto const name = written_name(std::string_view(header.raw).substr(header.root.begin));
    return closed ? forwarded : forwarded + "</" + std::string(name) + ">";
}

}  // namespace stanzagate::smuggling
