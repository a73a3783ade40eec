#include "proxy/file_places.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/temporary_folder.hpp"

namespace stanzagate::proxy {
namespace {

namespace fs = std::filesystem;

class FilePlacesTest : public ::testing::Test {
protected:
    // "DIRECTORY:NAME", below the folder.
    std::vector<std::string> places(const std::string& file) const {
        std::vector<std::string> found;
        for (auto const& place : places_of(root_ / file))
            found.push_back(fs::relative(place.directory, root_).string() + ':' + place.name);
        return found;
    }

    using Places = std::vector<std::string>;
    TemporaryFolder folder_;
    fs::path root_ = fs::canonical(folder_.path());
};

TEST_F(FilePlacesTest, PlainFile) {
    folder_.write("a", "");
    EXPECT_EQ(places("a"), (Places{".:a"}));
    EXPECT_EQ(places("./x/../a"), (Places{".:x"}));  // there is no x to go back from
    EXPECT_EQ(places("./a"), (Places{".:a"}));
}

TEST_F(FilePlacesTest, WhatIsMissingFirst) {
    fs::create_directory(root_ / "d");
    EXPECT_EQ(places("d/a"), (Places{"d:a"}));
    EXPECT_EQ(places("d/e/f/a"), (Places{"d:e"}));
    folder_.write("file", "");
    EXPECT_EQ(places("file/a"), (Places{".:file"}));
}

TEST_F(FilePlacesTest, EveryLinkOnTheWay) {
    fs::create_directories(root_ / "live/one");
    fs::create_directories(root_ / "archive/one");
    folder_.write("archive/one/key3.pem", "");
    fs::create_symlink("../../archive/one/key3.pem", root_ / "live/one/key.pem");
    EXPECT_EQ(places("live/one/key.pem"), (Places{"live/one:key.pem", "archive/one:key3.pem"}));
    fs::create_directory_symlink(root_ / "live", root_ / "now");
    EXPECT_EQ(places("now/one/key.pem"),
              (Places{".:now", "live/one:key.pem", "archive/one:key3.pem"}));
    fs::remove(root_ / "archive/one/key3.pem");
    EXPECT_EQ(places("live/one/key.pem"), (Places{"live/one:key.pem", "archive/one:key3.pem"}));
}

TEST_F(FilePlacesTest, LinksInACircleEnd) {
    fs::create_symlink("b", root_ / "a");
    fs::create_symlink("a", root_ / "b");
    auto const found = places("a");
    ASSERT_GE(found.size(), 2U);
    EXPECT_LT(found.size(), 100U);
    EXPECT_EQ(found[0], ".:a");
    EXPECT_EQ(found[1], ".:b");
}

}  // namespace
}  // namespace stanzagate::proxy
