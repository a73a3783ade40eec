// Every tests/configs/rules/NAME.toml is a rule file. It is loaded by a small main configuration,
// and what is said about it must be, line for line, what its last comments expect:
//
//   # expect: 3:7: error: rule.delay: must be ...
//
// What needs more than one file, or a main configuration of its own, is a folder NAME, which has
// the latter in main.toml. That file has the comments, which name files too ("# expect: a.toml:3:7:
// ..."). A file without such comments must load without a word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view main_file = R"(
server.geoip = "GeoLite2-Country.mmdb"
listen = [{ address = "0.0.0.0:5222" }]
[[host]]
name = "example.org"
self_signed = true
upstream = "tcp://192.0.2.10:5222"
[[host]]
name = "*.example.net"
self_signed = true
upstream = "tcp://192.0.2.10:5222"
[registration]
url = "https://example.org/register"
rules = ")";

struct GoldenRules {
    std::string name;
    fs::path path;  // of the rule file, or of the folder
};

void PrintTo(const GoldenRules& rules, std::ostream* out) {
    *out << rules.path.filename();
}

std::vector<GoldenRules> golden_rules() {
    std::vector<GoldenRules> result;
    for (const auto& entry :
         fs::directory_iterator(fs::path(STANZAGATE_SOURCE_DIR) / "tests/configs/rules")) {
        std::string name = entry.path().stem().string();
        std::ranges::replace(name, '-', '_');
        result.push_back({name, entry.path()});
    }
    std::ranges::sort(result, {}, &GoldenRules::name);
    return result;
}

std::vector<std::string> expected(const fs::path& path) {
    constexpr std::string_view mark = "# expect: ";
    std::vector<std::string> result;
    std::ifstream stream(path);
    for (std::string line; std::getline(stream, line);)
        if (line.starts_with(mark)) result.push_back(line.substr(mark.size()));
    return result;
}

void remove_all(std::string& text, const std::string& part) {
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos;)
        text.erase(at, part.size());
}

class RuleGolden : public testing::TestWithParam<GoldenRules> {};

TEST_P(RuleGolden, SaysWhatIsExpected) {
    const fs::path& path = GetParam().path;
    const bool is_folder = fs::is_directory(path);
    Diagnostics diagnostics;
    std::optional<Config> config;
    if (is_folder) {
        config = load(path / "main.toml", diagnostics);
    } else {
        const std::string text = std::string(main_file) + path.filename().string() + "\"\n";
        config = load_text(text, path.parent_path() / "main.toml", diagnostics);
    }
    std::vector<std::string> found;
    for (const Diagnostic& diagnostic : diagnostics.sorted()) {
        std::string text = diagnostic.to_string();
        // Messages name files too.
        remove_all(text, (is_folder ? path : path.parent_path()).string() + '/');
        if (!is_folder) text.erase(0, path.filename().string().size() + 1);
        found.push_back(std::move(text));
    }
    EXPECT_EQ(found, expected(is_folder ? path / "main.toml" : path));
    EXPECT_EQ(config.has_value(), !diagnostics.has_errors());
}

INSTANTIATE_TEST_SUITE_P(All, RuleGolden, testing::ValuesIn(golden_rules()), NamedCase{});

// Guards against looking in the wrong place.
TEST(RuleGoldenFiles, AreMany) {
    EXPECT_GE(golden_rules().size(), 60U);
}

}  // namespace
}  // namespace stanzagate::config
