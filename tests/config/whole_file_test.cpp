#include "config/whole_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <variant>

#include "tests/temporary_folder.hpp"

namespace stanzagate::config {
namespace {

constexpr std::size_t kib = 1024;

std::string text_of(const WholeFile& file) {
    if (const auto* const unreadable = std::get_if<Unreadable>(&file))
        return "unreadable: " + unreadable->why;
    return std::get<std::string>(file);
}

TEST(WholeFile, ReadsAFile) {
    const TemporaryFolder folder;
    const std::string text("a\0b\r\n\xff", 6);
    EXPECT_EQ(text_of(read_whole_file(folder.write("list", text), kib)), text);
    EXPECT_EQ(text_of(read_whole_file(folder.write("empty", ""), kib)), "");
    const std::string large(3'000'000, 'x');
    EXPECT_EQ(text_of(read_whole_file(folder.write("large", large), 4096 * kib)), large);
}

TEST(WholeFile, FollowsLinks) {
    const TemporaryFolder folder;
    folder.write("list", "text");
    std::filesystem::create_symlink("list", folder.at("link"));
    EXPECT_EQ(text_of(read_whole_file(folder.at("link"), kib)), "text");
    std::filesystem::create_symlink("nothing", folder.at("broken"));
    EXPECT_EQ(text_of(read_whole_file(folder.at("broken"), kib)),
              "unreadable: No such file or directory");
    std::filesystem::create_symlink(".", folder.at("to_folder"));
    EXPECT_EQ(text_of(read_whole_file(folder.at("to_folder"), kib)),
              "unreadable: it is a directory");
}

TEST(WholeFile, SaysWhyItCannotRead) {
    const TemporaryFolder folder;
    EXPECT_EQ(text_of(read_whole_file(folder.at("missing"), kib)),
              "unreadable: No such file or directory");
    EXPECT_EQ(text_of(read_whole_file(folder.at("."), kib)), "unreadable: it is a directory");
    EXPECT_EQ(text_of(read_whole_file("/dev/null", kib)), "unreadable: it is not a regular file");
    // Nobody writes to it: to open it as a file would wait for ever.
    ASSERT_EQ(mkfifo(folder.at("pipe").c_str(), 0600), 0);
    EXPECT_EQ(text_of(read_whole_file(folder.at("pipe"), kib)),
              "unreadable: it is not a regular file");
}

TEST(WholeFile, NeedsPermission) {
    if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
    const TemporaryFolder folder;
    const auto path = folder.write("secret", "text");
    std::filesystem::permissions(path, std::filesystem::perms::none);
    EXPECT_EQ(text_of(read_whole_file(path, kib)), "unreadable: Permission denied");
}

TEST(WholeFile, HasALargestSize) {
    const TemporaryFolder folder;
    const std::string text(kib, 'x');
    EXPECT_EQ(text_of(read_whole_file(folder.write("most", text), kib)), text);
    EXPECT_EQ(text_of(read_whole_file(folder.write("more", text + 'x'), kib)),
              "unreadable: it is larger than 1KiB");
}

TEST(WholeFile, IsReadAgainWhereItGrowsMeanwhile) {
    const TemporaryFolder folder;
    const auto path = folder.write("list", "half");
    int times = 0;
    const auto grow_once = [&] {
        if (++times == 1) folder.write("list", "half and half");
    };
    EXPECT_EQ(text_of(read_whole_file(path, kib, grow_once)), "half and half");
    EXPECT_EQ(times, 2);
}

TEST(WholeFile, IsReadAgainWhereItIsTouchedMeanwhile) {
    const TemporaryFolder folder;
    const auto path = folder.write("list", "old!");
    const auto time = std::filesystem::last_write_time(path);
    int times = 0;
    const auto same_size = [&] {
        if (++times > 1) return;
        folder.write("list", "new!");
        std::filesystem::last_write_time(path, time + std::chrono::seconds(1));
    };
    EXPECT_EQ(text_of(read_whole_file(path, kib, same_size)), "new!");
}

TEST(WholeFile, IsReadAgainWhereAnotherTakesItsPlace) {
    const TemporaryFolder folder;
    const auto path = folder.write("list", "old!");
    const auto time = std::filesystem::last_write_time(path);
    int times = 0;
    const auto rename_once = [&] {
        if (++times > 1) return;
        const auto other = folder.write("other", "new!");
        std::filesystem::last_write_time(other, time);
        std::filesystem::rename(other, path);
    };
    EXPECT_EQ(text_of(read_whole_file(path, kib, rename_once)), "new!");
}

TEST(WholeFile, IsUnreadableWhereItNeverRests) {
    const TemporaryFolder folder;
    const auto path = folder.write("list", "text");
    int times = 0;
    const auto append = [&] {
        ++times;
        std::ofstream(path, std::ios::app) << "more";
    };
    EXPECT_EQ(text_of(read_whole_file(path, kib, append)),
              "unreadable: it changed while it was read, twice; write a new file and rename it "
              "to this name");
    EXPECT_EQ(times, 2);
}

}  // namespace
}  // namespace stanzagate::config
