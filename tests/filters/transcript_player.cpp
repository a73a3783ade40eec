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

// One performance of a transcript.
class Player {
public:
    Player(const Transcript& transcript, const Transcript::Cut& cut)
        : cut_(cut),
          config_(config_of(transcript.settings_)),
          policy_(config_),
          driver_(policy_, peer_at(transcript.peer_),
                  transcript.starttls_ ? Gate::Door::starttls : Gate::Door::secure,
                  GateDriver::Connect::when_told) {}

    std::string play(const std::vector<Transcript::Step>& steps) {
        for (auto const& step : steps) {
            auto what = perform(step);
            if (what.empty()) what = driver_.broken_promise;
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
        if (words == "tls name") return step.text == driver_.tls_name ? "" : driver_.tls_name;
        // Something happens next: everything that came before must have been named.
        if (auto left = unnamed(); !left.empty()) return left;
        if (words == "client sends") send(Side::client, step.text);
        if (words == "upstream sends") send(Side::upstream, step.text);
        if (words == "client ends") driver_.eof(Side::client);
        if (words == "upstream ends") driver_.eof(Side::upstream);
        if (words == "upstream ready") driver_.upstream_ready();
        if (words == "upstream failed") driver_.upstream_failed();
        if (words == "tls done") driver_.tls_done();
        if (words == "timeout") driver_.timed_out();
        if (words == "drain") driver_.draining();
        if (words == "session") return session();
        return "";
    }

    void send(Side from, std::string_view bytes) {
        for (auto const piece : cut_(bytes)) driver_.send(from, piece);
    }

    std::string session() {
        send(Side::client, session_header_client);
        if (auto what = command("connect"); !what.empty()) return what;
        driver_.upstream_ready();
        send(Side::upstream, session_header_upstream);
        send(Side::upstream, session_features);
        auto const got = driver_.take(Side::client);
        if (!got.starts_with(session_header_upstream)) return "no session: " + got;
        if (driver_.take(Side::upstream) != session_header_client) return "no session";
        return "";
    }

    std::string gets(Side side, std::string_view text) {
        auto const got = driver_.take(side);
        if (side == Side::client && !got.empty()) ++client_got_times_;
        constexpr std::string_view error = "stream-error ";
        if (text.starts_with(error)) return gets_stream_error(got, text.substr(error.size()));
        bool const right = text == "nothing" ? got.empty() : matches(got, text);
        return right ? "" : "it got: " + (got.empty() ? "nothing" : got);
    }

    std::string gets_stream_error(const std::string& got, std::string_view condition) {
        std::string pattern =
            client_got_times_ <= 1 ? "<?xml version='1.0'?><stream:stream ...>" : "";
        pattern +=
            "<stream:error><" + std::string(condition) +
            " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>...</stream:error></stream:stream>";
        if (!matches(got, pattern)) return "it got: " + got;
        if (!driver_.stream_error || to_string(*driver_.stream_error) != condition)
            return "the error is not noted";
        return command("close");
    }

    std::string command(std::string_view name) {
        if (driver_.commands.empty()) return "there is no command";
        auto const got = name_of(driver_.commands.front());
        driver_.commands.pop_front();
        return got == name ? "" : "the command is " + std::string(got);
    }

    std::string decided(const std::string& text) {
        if (driver_.registrations.empty()) return "nothing was decided";
        auto const& event = driver_.registrations.front();
        std::string decision(to_string(event.request));
        decision.append(" ").append(to_string(event.action)).append(" ").append(event.rule);
        driver_.registrations.erase(driver_.registrations.begin());
        return decision == text ? "" : "decided: " + decision;
    }

    std::string unnamed() {
        if (auto const got = driver_.take(Side::client); !got.empty())
            return "before this the client got: " + got;
        if (auto const got = driver_.take(Side::upstream); !got.empty())
            return "before this the upstream got: " + got;
        if (!driver_.commands.empty())
            return "before this the command was " + std::string(name_of(driver_.commands.front()));
        return "";
    }

    const Transcript::Cut& cut_;
    config::Config config_;
    Policy policy_;
    GateDriver driver_;
    int client_got_times_ = 0;
};

std::string Transcript::play(const Cut& cut) const {
    return Player(*this, cut).play(steps_);
}

std::string Transcript::play_in_every_way() const {
    auto failure = play([](std::string_view bytes) { return Pieces{bytes}; });
    if (!failure.empty()) return "in one piece, " + failure;
    if (whole_) return "";
    for (std::size_t const size : {1U, 2U, 3U, 4U, 5U, 7U, 11U, 16U, 29U, 50U, 101U}) {
        failure = play([&](std::string_view bytes) { return pieces_of(bytes, size); });
        if (!failure.empty()) return "in pieces of " + std::to_string(size) + ", " + failure;
    }
    for (unsigned seed = 0; seed < 12; ++seed) {
        std::mt19937 random(seed);
        failure = play([&](std::string_view bytes) { return random_pieces(bytes, random); });
        if (!failure.empty()) return "in random pieces " + std::to_string(seed) + ", " + failure;
    }
    return "";
}

}  // namespace stanzagate::filters
