// config/stanzagate.example.toml is the manual, so it must not fall behind the program: it loads,
// it has every key, and all of them at their defaults.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "config/readers.hpp"

namespace stanzagate::config {
namespace {

using testing::IsEmpty;

// Where it is: the rule files that it names are beside it.
constexpr std::string_view file = STANZAGATE_SOURCE_DIR "/config/stanzagate.example.toml";

std::vector<std::string> example() {
    std::ifstream stream{std::string(file)};
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + '\n';
    return text;
}

// The keys without a default are commented out, with no space after the #.
std::vector<std::string> with_all_keys() {
    std::vector<std::string> lines = example();
    for (std::string& line : lines)
        if (line.size() > 1 && line[0] == '#' && line[1] != ' ') line.erase(0, 1);
    return lines;
}

struct Loaded {
    std::optional<Config> config;
    std::vector<std::string> diagnostics;
};

Loaded loaded(const std::vector<std::string>& lines) {
    Loaded result;
    Diagnostics diagnostics;
    result.config = load_text(joined(lines), file, diagnostics);
    for (const Diagnostic& diagnostic : diagnostics.sorted())
        result.diagnostics.push_back(diagnostic.to_string());
    return result;
}

// The keys of a document, dotted; a list of tables adds the keys of all of them.
void collect_keys(const TomlValue& value, const std::string& path, std::set<std::string>& keys) {
    if (!path.empty()) keys.insert(path);
    if (const auto* list = std::get_if<TomlArray>(&value.value)) {
        for (const TomlValue& element : *list) collect_keys(element, path, keys);
    } else if (const auto* table = std::get_if<TomlTable>(&value.value)) {
        for (const TomlEntry& entry : table->entries)
            collect_keys(entry.value, path.empty() ? entry.key : path + '.' + entry.key, keys);
    }
}

// [host.registration] takes what [registration] takes, which the manual says once.
bool is_said_elsewhere(const std::string& key, const std::set<std::string>& known) {
    constexpr std::string_view host = "host.";
    return key.starts_with("host.registration.") && known.contains(key.substr(host.size()));
}

// They have no default, and a configuration is nothing without them.
const std::set<std::string>& required_keys() {
    static const std::set<std::string> keys{"[[listen]].address",      "[[host]].name",
                                            "[[host]].certificate",    "[[host]].key",
                                            "[host.upstream].address", "[registration].url"};
    return keys;
}

TEST(Example, LoadsWithoutAWord) {
    const Loaded found = loaded(example());
    EXPECT_TRUE(found.config);
    EXPECT_THAT(found.diagnostics, IsEmpty());
}

TEST(Example, LoadsWithAllKeysWithoutAWord) {
    const Loaded found = loaded(with_all_keys());
    EXPECT_TRUE(found.config);
    EXPECT_THAT(found.diagnostics, IsEmpty());
}

// It is commented out, since by default nothing is served over HTTP.
TEST(Example, HasHttpAtItsDefaults) {
    const Loaded found = loaded(with_all_keys());
    ASSERT_TRUE(found.config);
    EXPECT_GT(found.config->http.where.line, 0);
    EXPECT_EQ(found.config->http, Http{.where = found.config->http.where});
}

TEST(Example, HasEveryKeyThatIsRead) {
    Diagnostics diagnostics;
    const auto document = parse_toml(joined(with_all_keys()), std::string(file), diagnostics);
    ASSERT_TRUE(document);
    Reading reading{.diagnostics = diagnostics, .folder = {}};
    read_config(Section(std::get<TomlTable>(document->value), {}, "", reading));

    std::set<std::string> keys;
    collect_keys(*document, "", keys);
    EXPECT_GT(reading.known_keys.size(), 40U);
    for (const std::string& key : reading.known_keys) {
        if (reading.refused_keys.contains(key)) {
            EXPECT_FALSE(keys.contains(key)) << key << " is not supported, but in the manual";
        } else if (!is_said_elsewhere(key, reading.known_keys)) {
            EXPECT_TRUE(keys.contains(key)) << key << " is not in the manual";
        }
    }
}

TEST(Example, HasEveryKeyAtItsDefault) {
    const std::vector<std::string> lines = example();
    const Loaded whole = loaded(lines);
    ASSERT_TRUE(whole.config);
    std::string table;
    int defaults = 0;
    std::set<std::string> required;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string& line = lines[i];
        if (line.starts_with('[')) table = line;
        const std::size_t equals = line.find(" = ");
        if (line.empty() || line[0] == '#' || line[0] == '[' || equals == std::string::npos)
            continue;
        // Without the line nothing may change. It is emptied, so that the positions of what
        // follows stay.
        std::vector<std::string> without = lines;
        without[i].clear();
        const std::string key = table + '.' + line.substr(0, equals);
        const Loaded found = loaded(without);
        if (required_keys().contains(key)) {
            EXPECT_FALSE(found.config) << key << " is said to be required, and is not";
            required.insert(key);
        } else {
            ++defaults;
            EXPECT_TRUE(found.config && *found.config == *whole.config)
                << key << " is not at its default, or is required";
        }
    }
    EXPECT_EQ(required, required_keys());
    EXPECT_GT(defaults, 20);
}

}  // namespace
}  // namespace stanzagate::config
