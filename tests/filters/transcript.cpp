#include "tests/filters/transcript.hpp"

#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "filters/xml_escape.hpp"
#include "tests/filters/test_config.hpp"

namespace stanzagate::filters {
namespace {

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

}  // namespace stanzagate::filters
