#include "tests/filters/transcript.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

// Plays every transcript in tests/transcripts against a Gate, in every way to cut the bytes.
namespace stanzagate::filters {
namespace {

struct Scene {
    std::string name;
    Transcript transcript;
};

std::ostream& operator<<(std::ostream& out, const Scene& scene) {
    return out << scene.name;
}

std::vector<Scene> all_scenes() {
    std::vector<Scene> scenes;
    auto const folder = std::filesystem::path(STANZAGATE_SOURCE_DIR) / "tests" / "transcripts";
    for (auto const& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".txt") continue;
        for (auto& transcript : Transcript::read(entry.path())) {
            auto name = entry.path().stem().string() + "_" + transcript.name();
            std::replace_if(
                name.begin(), name.end(),
                [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
            scenes.push_back({std::move(name), std::move(transcript)});
        }
    }
    std::sort(scenes.begin(), scenes.end(),
              [](auto const& a, auto const& b) { return a.name < b.name; });
    return scenes;
}

class Transcripts : public testing::TestWithParam<Scene> {};

TEST_P(Transcripts, Play) {
    EXPECT_EQ(GetParam().transcript.play_in_every_way(), "");
}

INSTANTIATE_TEST_SUITE_P(Gate, Transcripts, testing::ValuesIn(all_scenes()),
                         [](auto const& suite) { return suite.param.name; });

}  // namespace
}  // namespace stanzagate::filters
