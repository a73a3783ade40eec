#include "tests/filters/transcript.hpp"

#include <array>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "filters/xml_escape.hpp"
#include "tests/filters/gate_driver.hpp"
#include "tests/filters/test_config.hpp"

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

[[noreturn]] void wrong(int line, const std::string& what) {
    throw std::invalid_argument("line " + std::to_string(line) + ": " + what);
}

std::string trimmed(std::string_view text) {
    while (!text.empty() && is_xml_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_xml_space(text.back())) text.remove_suffix(1);
    return std::string(text);
}

unsigned number(std::string_view text, int base) {
    return static_cast<unsigned>(std::stoul(std::string(text), nullptr, base));
}

// What the escape behind a backslash means; it is taken off the text.
std::string take_escape(std::string_view& text, int line) {
    char const what = text.empty() ? '\0' : text.front();
    text.remove_prefix(text.empty() ? 0 : 1);
    if (what == 'n') return "\n";
    if (what == 'r') return "\r";
    if (what == 't') return "\t";
    if (what == '\\') return "\\";
    if (what == 'x') {
        char const c = static_cast<char>(number(text.substr(0, 2), 16));
        text.remove_prefix(2);
        return {c};
    }
    auto const star = text.find('*');
    auto const end = text.find(')');
    if (what != '(' || star > end || end == std::string_view::npos)
        wrong(line, "unknown escape; a backslash itself is written twice");
    std::string out;
    for (auto times = number(text.substr(0, star), 10); times > 0; --times)
        out += text.substr(star + 1, end - star - 1);
    text.remove_prefix(end + 1);
    return out;
}

std::string decode(std::string_view text, int line) {
    std::string out;
    while (!text.empty()) {
        char const c = text.front();
        text.remove_prefix(1);
        if (c == '\\')
            out += take_escape(text, line);
        else
            out += c;
    }
    return out;
}

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

constexpr std::array<std::string_view, 20> known_steps{
    "client sends",  "upstream sends", "client gets",     "upstream gets", "client ends",
    "upstream ends", "upstream ready", "upstream failed", "command",       "decided",
    "tls done",      "timeout",        "drain",           "session",       "door",
    "peer",          "config <<",      "whole",           "tls name",      "relays"};

}  // namespace

std::vector<Transcript> Transcript::read(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw std::invalid_argument("cannot read " + file.string());
    constexpr std::string_view title = "== ";
    std::vector<Transcript> transcripts;
    std::string name;
    std::string text;
    int first_line = 1;
    auto const finish = [&] {
        if (name.empty()) return;
        transcripts.push_back(parse(text, first_line));
        transcripts.back().name_ = name;
    };
    std::string line;
    for (int number = 1; std::getline(stream, line); ++number) {
        if (line.starts_with(title)) {
            finish();
            name = trimmed(std::string_view(line).substr(title.size()));
            text.clear();
            first_line = number + 1;
        } else {
            text += line + "\n";
        }
    }
    finish();
    return transcripts;
}

Transcript Transcript::parse(std::string_view text, int first_line) {
    Transcript transcript;
    transcript.settings_ = usual_settings;
    transcript.peer_ = stranger;
    std::vector<Step> lines;
    std::istringstream stream{std::string(text)};
    std::string line;
    for (int number = first_line; std::getline(stream, line); ++number) {
        auto const content = trimmed(line);
        if (content.empty() || content.starts_with('#')) continue;
        if (is_xml_space(line[0]) && !lines.empty()) {
            lines.back().text += content;
            continue;
        }
        Step step{number, {}, {}};
        for (auto const words : known_steps) {
            bool const whole_word = content.size() == words.size() ||
                                    (content.size() > words.size() && content[words.size()] == ' ');
            if (content.starts_with(words) && whole_word) {
                step.words = words;
                step.text = trimmed(std::string_view(content).substr(words.size()));
            }
        }
        if (step.words.empty()) wrong(number, "unknown step: " + content);
        if (step.words == "config <<") {
            transcript.settings_.clear();
            for (++number; std::getline(stream, line) && trimmed(line) != ">>"; ++number)
                transcript.settings_ += line + "\n";
            continue;
        }
        lines.push_back(std::move(step));
    }
    for (auto& step : lines) {
        if (step.words == "door") {
            transcript.starttls_ = step.text == "starttls";
        } else if (step.words == "peer") {
            transcript.peer_ = step.text == "whitelisted" ? whitelisted : step.text;
        } else if (step.words == "whole") {
            transcript.whole_ = true;
        } else {
            step.text = decode(step.text, step.line);
            transcript.steps_.push_back(std::move(step));
        }
    }
    return transcript;
}

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
