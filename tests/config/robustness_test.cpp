// Damaged configurations: whatever is in the file, load_text() returns, with a Config or at least
// one error, and says everything in lines of the right form.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"

namespace stanzagate::config {
namespace {

std::string example() {
    std::ifstream stream(std::string(STANZAGATE_SOURCE_DIR) + "/config/stanzagate.example.toml");
    std::string text;
    for (std::string line; std::getline(stream, line);) {
        // The comments would take most of the damage.
        if (!line.empty() && line[0] != '#') text += line + '\n';
        constexpr std::string_view more[] = {"#text",   "#ca",        "#forwarded", "#[http]",
                                             "#websoc", "#bosh_path", "#host_meta", "#allow_or"};
        if (std::ranges::any_of(more, [&](auto start) { return line.starts_with(start); }))
            text += line.substr(1) + '\n';
    }
    return text;
}

class Mutator {
public:
    explicit Mutator(unsigned seed) : random_(seed) {}

    void mutate(std::string& text) {
        switch (below(7)) {
            case 0:
                replace_byte(text);
                break;
            case 1:
                text.insert(below(text.size() + 1), std::string(token()));
                break;
            case 2:
                remove_some(text);
                break;
            case 3:
                copy_some(text);
                break;
            case 4:
                remove_line(text);
                break;
            default:  // the most telling, so the most likely
                replace_value(text);
                break;
        }
    }

    std::size_t below(std::size_t limit) {
        return limit == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
    }

private:
    std::string_view token() {
        static const std::vector<std::string_view> tokens{"\"",
                                                          "'",
                                                          "[[host]]\n",
                                                          "[registration]\n",
                                                          "{",
                                                          "}",
                                                          "[",
                                                          "]",
                                                          "=",
                                                          ".",
                                                          "\n",
                                                          "#",
                                                          "\\u0000",
                                                          "0",
                                                          "-1",
                                                          "1e400",
                                                          "nan",
                                                          "true",
                                                          "{url}",
                                                          "\"\"\"",
                                                          "\xff",
                                                          "\xf0\x9f\x98\x80",
                                                          "1979-05-27",
                                                          "[host.upstream]\n",
                                                          "a.b.c = 1\n",
                                                          "x",
                                                          ","};
        return tokens[below(tokens.size())];
    }

    std::string_view value() {
        static const std::vector<std::string_view> values{"\"\"",
                                                          "0",
                                                          "-9223372036854775808",
                                                          "[]",
                                                          "{}",
                                                          "[[]]",
                                                          "true",
                                                          "\"{url}\"",
                                                          "\"{\"",
                                                          "\"noscheme\"",
                                                          "\"mailto:\"",
                                                          "\"1s\"",
                                                          "\"99999999999999999999h\"",
                                                          "\"::1/129\"",
                                                          "\"[::1]:0\"",
                                                          "\"tcp://\"",
                                                          "\"tls://[::1]:5223\"",
                                                          "[\"*\", 1, {}]",
                                                          "{ en = \"x\" }",
                                                          "{ en = {} }",
                                                          "\"\\u0000\"",
                                                          "\"\\uFFFF\"",
                                                          "inf",
                                                          "00:00:00",
                                                          "\"https://{host}:99999\"",
                                                          "\"*.example.org\"",
                                                          "\"/http-bind\"",
                                                          "[\"https://[::1]:8080\"]",
                                                          "[\"xmpp\", \"bosh\"]",
                                                          "\"auto\"",
                                                          "1.5"};
        return values[below(values.size())];
    }

    void replace_byte(std::string& text) {
        if (!text.empty()) text[below(text.size())] = static_cast<char>(below(256));
    }

    void remove_some(std::string& text) {
        const std::size_t at = below(text.size() + 1);
        text.erase(at, below(20));
    }

    void copy_some(std::string& text) {
        const std::string piece = text.substr(below(text.size() + 1), below(200));
        text.insert(below(text.size() + 1), piece);
    }

    void replace_value(std::string& text) {
        const std::size_t equals = text.find(" = ", below(text.size() + 1));
        if (equals == std::string::npos) return;
        const std::size_t end = std::min(text.find('\n', equals), text.size());
        text.replace(equals + 3, end - equals - 3, value());
    }

    void remove_line(std::string& text) {
        const std::size_t start = text.find('\n', below(text.size() + 1));
        if (start == std::string::npos) return;
        const std::size_t end = std::min(text.find('\n', start + 1), text.size());
        text.erase(start, end - start);
    }

    std::mt19937 random_;
};

void check(const std::string& text) {
    Diagnostics diagnostics;
    const auto config = load_text(text, "gate.toml", diagnostics);
    ASSERT_EQ(config.has_value(), !diagnostics.has_errors()) << text;
    for (const Diagnostic& diagnostic : diagnostics.sorted()) {
        ASSERT_EQ(diagnostic.to_string().find('\n'), std::string::npos) << text;
        ASSERT_EQ(diagnostic.where.file, "gate.toml");
        ASSERT_GT(diagnostic.message.size(), 5U);
    }
    if (!config) return;
    ASSERT_FALSE(config->listen.empty());
    ASSERT_FALSE(config->hosts.empty());
    for (const Host& host : config->hosts) {
        const Registration& registration = host.registration;
        ASSERT_FALSE(host.upstream.addresses.empty()) << text;
        ASSERT_TRUE(registration.url || !registration.text.empty() || !registration.admins.empty())
            << text;
    }
}

TEST(Robustness, DamagedConfigurations) {
    const std::string original = example();
    check(original);
    Mutator mutator(20'240'607);
    for (int round = 0; round < 4'000 && !HasFatalFailure(); ++round) {
        std::string text = original;
        const std::size_t mutations = 1 + mutator.below(4);
        for (std::size_t i = 0; i < mutations; ++i) mutator.mutate(text);
        check(text);
    }
}

TEST(Robustness, EveryBeginning) {
    const std::string original = example();
    for (std::size_t length = 0; length < original.size() && !HasFatalFailure(); ++length)
        check(original.substr(0, length));
}

}  // namespace
}  // namespace stanzagate::config
