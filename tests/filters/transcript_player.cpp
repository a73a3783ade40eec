#include <deque>
#include <random>
#include <utility>

#include "tests/filters/gate_driver.hpp"
#include "tests/filters/test_config.hpp"
#include "tests/filters/transcript.hpp"

// How a Transcript is played. How it is read stands in transcript.cpp.
namespace stanzagate::filters {
namespace {

constexpr std::string_view session_header_client =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "to='example.org' version='1.0'>";
constexpr std::string_view session_header_upstream =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "from='example.org' id='up' version='1.0' xml:lang='en'>";
constexpr std::string_view session_features =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    "<mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>";

// "..." in the pattern stands for anything.
bool matches(std::string_view text, std::string_view pattern) {
    constexpr std::string_view anything = "...";
    auto gap = pattern.find(anything);
    if (gap == std::string_view::npos) return text == pattern;
    if (!text.starts_with(pattern.substr(0, gap))) return false;
    text.remove_prefix(gap);
    for (;;) {
        pattern.remove_prefix(gap + anything.size());
        gap = pattern.find(anything);
        auto const piece = pattern.substr(0, gap);
        if (gap == std::string_view::npos) return text.ends_with(piece);
        auto const at = text.find(piece);
        if (at == std::string_view::npos) return false;
        text.remove_prefix(at + piece.size());
    }
}

}  // namespace

// One performance of a transcript. Where the client comes by another door than TCP, a second gate
// stands behind that: what comes of it there must be what came of it on TCP.
class Player {
public:
    Player(const Transcript& transcript, const Transcript::Cut& cut, ClientDoor client_door)
        : cut_(cut), config_(config_of(transcript.settings_)), policy_(config_) {
        auto const door = transcript.starttls_ ? Gate::Door::starttls : Gate::Door::secure;
        auto const peer = peer_at(transcript.peer_);
        drivers_.emplace_back(policy_, peer, door, GateDriver::Connect::when_told);
        if (client_door == ClientDoor::tcp) return;
        drivers_.emplace_back(policy_, peer, door, GateDriver::Connect::when_told);
        carried_ = carried_session(client_door, drivers_.back(), config_.limits);
    }

    std::string play(const std::vector<Transcript::Step>& steps) {
        for (auto const& step : steps) {
            auto what = perform(step);
            for (auto const& driver : drivers_)
                if (what.empty()) what = driver.broken_promise;
            if (!what.empty()) return "line " + std::to_string(step.line) + ": " + what;
        }
        auto const left = unnamed();
        return left.empty() ? "" : "at the end: " + left;
    }

private:
    std::string perform(const Transcript::Step& step) {
        auto const& words = step.words;
        if (words == "client gets") return gets(Side::client, step.text);
        if (words == "upstream gets") return gets(Side::upstream, step.text);
        if (words == "command") return command(step.text);
        if (words == "decided") return decided(step.text);
        if (words == "tls name") return step.text == on_tcp().tls_name ? "" : on_tcp().tls_name;
        // Something happens next: everything that came before must have been named.
        if (auto left = unnamed(); !left.empty()) return left;
        if (words == "client sends") send(Side::client, step.text);
        if (words == "upstream sends") send(Side::upstream, step.text);
        if (words == "client ends") client_ends();
        if (words == "upstream ends") happen([](auto& driver) { driver.eof(Side::upstream); });
        if (words == "upstream ready") happen([](auto& driver) { driver.upstream_ready(); });
        if (words == "upstream failed") happen([](auto& driver) { driver.upstream_failed(); });
        if (words == "tls done") happen([](auto& driver) { driver.tls_done(); });
        if (words == "timeout") happen([](auto& driver) { driver.timed_out(); });
        if (words == "drain") happen([](auto& driver) { driver.draining(); });
        if (words == "session") return session();
        return "";
    }

    GateDriver& on_tcp() { return drivers_.front(); }

    template <typename Event>
    void happen(const Event& event) {
        for (auto& driver : drivers_) event(driver);
        if (carried_) carried_->settle();
    }

    void client_ends() {
        on_tcp().eof(Side::client);
        if (carried_) carried_->client_ends();
    }

    void send(Side from, std::string_view bytes) {
        if (from == Side::client) {
            for (auto const piece : cut_(bytes)) on_tcp().send(from, piece);
            if (carried_) carried_->client_sends(bytes);
            return;
        }
        for (auto const piece : cut_(bytes))
            happen([&](auto& driver) { driver.send(from, piece); });
    }

    std::string session() {
        send(Side::client, session_header_client);
        if (auto what = command("connect"); !what.empty()) return what;
        happen([](auto& driver) { driver.upstream_ready(); });
        send(Side::upstream, session_header_upstream);
        send(Side::upstream, session_features);
        auto const got = on_tcp().take(Side::client);
        if (!got.starts_with(session_header_upstream)) return "no session: " + got;
        if (on_tcp().take(Side::upstream) != session_header_client) return "no session";
        auto const what = compare(Side::client, got);
        return what.empty() ? compare(Side::upstream, session_header_client) : what;
    }

    std::string gets(Side side, std::string_view text) {
        auto const got = on_tcp().take(side);
        if (side == Side::client && !got.empty()) ++client_got_times_;
        constexpr std::string_view error = "stream-error ";
        if (text.starts_with(error)) return gets_stream_error(got, text.substr(error.size()));
        bool const right = text == "nothing" ? got.empty() : matches(got, text);
        return right ? compare(side, got) : "it got: " + (got.empty() ? "nothing" : got);
    }

    std::string compare(Side side, std::string_view got) {
        return carried_ ? carried_->compare(side, got) : "";
    }

    std::string gets_stream_error(const std::string& got, std::string_view condition) {
        std::string pattern =
            client_got_times_ <= 1 ? "<?xml version='1.0'?><stream:stream ...>" : "";
        pattern +=
            "<stream:error><" + std::string(condition) +
            " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>...</stream:error></stream:stream>";
        if (!matches(got, pattern)) return "it got: " + got;
        for (auto const& driver : drivers_) {
            bool const here = carried_ && &driver == &drivers_.back();
            auto const noted = here && carried_->error() ? carried_->error() : driver.stream_error;
            if (!noted || to_string(*noted) != condition) return "the error is not noted";
        }
        auto const what = compare(Side::client, got);
        return what.empty() ? command("close") : what;
    }

    std::string command(std::string_view name) {
        for (auto& driver : drivers_) {
            if (driver.commands.empty()) return "there is no command";
            auto const got = name_of(driver.commands.front());
            driver.commands.pop_front();
            if (got != name) return "the command is " + std::string(got);
        }
        return "";
    }

    std::string decided(const std::string& text) {
        for (auto& driver : drivers_) {
            if (driver.registrations.empty()) return "nothing was decided";
            auto const& event = driver.registrations.front();
            std::string decision(to_string(event.request));
            decision.append(" ").append(to_string(event.action)).append(" ").append(event.rule);
            driver.registrations.erase(driver.registrations.begin());
            if (decision != text) return "decided: " + decision;
        }
        return "";
    }

    std::string unnamed() {
        if (auto const got = on_tcp().take(Side::client); !got.empty())
            return "before this the client got: " + got;
        if (auto const got = on_tcp().take(Side::upstream); !got.empty())
            return "before this the upstream got: " + got;
        for (auto const& driver : drivers_)
            if (!driver.commands.empty())
                return "before this the command was " +
                       std::string(name_of(driver.commands.front()));
        for (auto const side : {Side::client, Side::upstream})
            if (auto const what = compare(side, ""); !what.empty()) return "before this " + what;
        return "";
    }

    const Transcript::Cut& cut_;
    config::Config config_;
    Policy policy_;
    std::deque<GateDriver> drivers_;  // on TCP, and behind the other door
    std::unique_ptr<CarriedSession> carried_;
    int client_got_times_ = 0;
};

std::string Transcript::play(const Cut& cut, ClientDoor door) const {
    return Player(*this, cut, door).play(steps_);
}

std::string Transcript::play_in_every_way(ClientDoor door) const {
    auto failure = play([](std::string_view bytes) { return Pieces{bytes}; }, door);
    if (!failure.empty()) return "in one piece, " + failure;
    if (whole_) return "";
    // By the other doors only what the server says comes in pieces.
    bool const few = door != ClientDoor::tcp;
    std::vector<std::size_t> sizes{1, 2, 3, 4, 5, 7, 11, 16, 29, 50, 101};
    if (few) sizes = {1, 13};
    for (std::size_t const size : sizes) {
        failure = play([&](std::string_view bytes) { return pieces_of(bytes, size); }, door);
        if (!failure.empty()) return "in pieces of " + std::to_string(size) + ", " + failure;
    }
    for (unsigned seed = 0; seed < (few ? 2U : 12U); ++seed) {
        std::mt19937 random(seed);
        failure = play([&](std::string_view bytes) { return random_pieces(bytes, random); }, door);
        if (!failure.empty()) return "in random pieces " + std::to_string(seed) + ", " + failure;
    }
    return "";
}

}  // namespace stanzagate::filters
