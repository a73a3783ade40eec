// Every tests/configs/*.toml is loaded, and what is said about it must be, line for line, what its
// last comments expect:
//
//   # expect: 3:7: error: limits.stanza_size: must be ...
//
// A file without such comments must load without a word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
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

struct GoldenFile {
    std::string name;
    std::filesystem::path path;
};

void PrintTo(const GoldenFile& file, std::ostream* out) {
    *out << file.path.filename();
}

std::vector<GoldenFile> golden_files() {
    std::vector<GoldenFile> files;
    const std::filesystem::path folder =
        std::filesystem::path(STANZAGATE_SOURCE_DIR) / "tests/configs";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".toml") continue;
        std::string name = entry.path().stem().string();
        std::ranges::replace(name, '-', '_');
        files.push_back({name, entry.path()});
    }
    std::ranges::sort(files, {}, &GoldenFile::name);
    return files;
}

std::vector<std::string> expected(const std::filesystem::path& path) {
    constexpr std::string_view mark = "# expect: ";
    std::vector<std::string> result;
    std::ifstream stream(path);
    for (std::string line; std::getline(stream, line);)
        if (line.starts_with(mark)) result.push_back(line.substr(mark.size()));
    return result;
}

class Golden : public testing::TestWithParam<GoldenFile> {};

TEST_P(Golden, SaysWhatIsExpected) {
    Diagnostics diagnostics;
    const auto config = load(GetParam().path, diagnostics);
    std::vector<std::string> found;
    for (const Diagnostic& diagnostic : diagnostics.sorted())
        found.push_back(diagnostic.to_string().substr(diagnostic.where.file.size() + 1));
    EXPECT_EQ(found, expected(GetParam().path));
    EXPECT_EQ(config.has_value(), !diagnostics.has_errors());
}

INSTANTIATE_TEST_SUITE_P(All, Golden, testing::ValuesIn(golden_files()), NamedCase{});

// Guards against looking in the wrong place.
TEST(GoldenFiles, AreMany) {
    EXPECT_GE(golden_files().size(), 60U);
}

}  // namespace
}  // namespace stanzagate::config
