#include "proxy/file_watcher.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proxy/fd.hpp"
#include "tests/proxy/background_test.hpp"
#include "tests/proxy/sockets.hpp"
#include "tests/temporary_folder.hpp"

namespace {

bool no_inotify = false;

}  // namespace

// The program's own definition comes before the C library's.
extern "C" int inotify_init1(int flags) noexcept {
    if (!no_inotify) return static_cast<int>(::syscall(SYS_inotify_init1, flags));
    errno = EMFILE;
    return -1;
}

namespace stanzagate::proxy {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class FileWatcherTest : public testing::BackgroundTest {
protected:
    void begin(FileWatcherSettings settings = {.settle = 10ms, .look = 1h}) {
        watcher_.emplace(
            io_,
            [this](const fs::path& file) {
                ++reports_[file];
                if (then_) then_(file);
            },
            settings);
    }
    void watch(const std::vector<fs::path>& files) {
        watcher_->watch(files);
        reports_.clear();
    }
    void begin_with(const std::vector<fs::path>& files) {
        begin();
        watch(files);
        ASSERT_EQ(watcher_->why_no_inotify(), "");
    }

    // A report since the last call; they may be several where the machine is slow.
    bool is_told(const fs::path& file) {
        bool const told = run_until([&] { return reports_[file] > 0; });
        reports_.erase(file);
        return told;
    }
    // What was due before a change that is made now has been reported in the end.
    void settle() {
        auto const mark = folder_.write("mark", std::to_string(++marks_));
        ASSERT_TRUE(is_told(mark));
    }
    // Nothing was reported of it till now.
    bool is_quiet(const fs::path& file) {
        settle();
        return reports_[file] == 0;
    }

    fs::path at(const std::string& name) const { return folder_.path() / name; }
    fs::path mark() const { return at("mark"); }

    TemporaryFolder folder_;
    std::map<fs::path, int> reports_;
    std::function<void(const fs::path&)> then_;
    std::optional<FileWatcher> watcher_;
    int marks_ = 0;
};

TEST_F(FileWatcherTest, WrittenInPlace) {
    auto const file = folder_.write("a", "one");
    auto const other = folder_.write("b", "one");
    begin_with({file, other, mark()});
    EXPECT_TRUE(is_quiet(file));
    folder_.write("a", "two");
    EXPECT_TRUE(is_told(file));
    std::ofstream(file, std::ios::app) << "three";
    EXPECT_TRUE(is_told(file));
    EXPECT_TRUE(is_quiet(other));
}

TEST_F(FileWatcherTest, SettlesIntoOneReport) {
    auto const file = folder_.write("a", "");
    begin_with({file, mark()});
    for (int i = 0; i < 20; ++i) folder_.write("a", std::to_string(i));
    settle();
    EXPECT_EQ(reports_[file], 1);
}

// Whoever has it open is not through with it.
TEST_F(FileWatcherTest, NotBeforeItIsClosed) {
    auto const file = folder_.write("a", "one");
    begin_with({file, mark()});
    {
        Fd const fd(::open(file.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
        ASSERT_EQ(::write(fd.get(), "two", 3), 3);
        EXPECT_TRUE(is_quiet(file));
    }
    EXPECT_TRUE(is_told(file));
}

TEST_F(FileWatcherTest, WrittenWithoutEndIsReportedAllTheSame) {
    auto const file = folder_.write("a", "");
    begin({.settle = 50ms, .look = 1h});
    watch({file});
    EXPECT_TRUE(testing::eventually([&] { return reports_[file] > 0; },
                                    [&] {
                                        folder_.write("a", "again");
                                        io_.restart();
                                        io_.run_for(5ms);
                                    }));
}

TEST_F(FileWatcherTest, ReplacedByRenaming) {
    auto const file = folder_.write("a", "one");
    begin_with({file, mark()});
    folder_.write("a.new", "two");
    EXPECT_TRUE(is_quiet(file));
    for (auto const* const text : {"three", "four"}) {
        fs::rename(folder_.write("a.new", text), file);
        EXPECT_TRUE(is_told(file));
        settle();
        reports_.clear();
    }
}

TEST_F(FileWatcherTest, RemovedAndMade) {
    auto const file = at("a");
    begin_with({file, mark()});
    EXPECT_TRUE(is_quiet(file));
    folder_.write("a", "one");
    EXPECT_TRUE(is_told(file));
    settle();
    reports_.clear();
    fs::remove(file);
    EXPECT_TRUE(is_told(file));
    fs::create_hard_link(folder_.write("b", "two"), file);
    EXPECT_TRUE(is_told(file));
    settle();
    reports_.clear();
    fs::rename(file, at("c"));
    EXPECT_TRUE(is_told(file));
}

TEST_F(FileWatcherTest, OneThatWasMadeAndRemovedIsNoNews) {
    auto const file = at("a");
    begin_with({file, mark()});
    folder_.write("a", "one");
    fs::remove(file);
    EXPECT_TRUE(is_quiet(file));
}

TEST_F(FileWatcherTest, OtherRights) {
    auto const file = folder_.write("a", "one");
    begin_with({file});
    fs::permissions(file, fs::perms::owner_read);
    EXPECT_TRUE(is_told(file));
}

// As certificates are renewed: a link is replaced by one to the next file.
TEST_F(FileWatcherTest, LinkToAnotherFile) {
    fs::create_directories(at("archive"));
    fs::create_directories(at("live"));
    folder_.write("archive/key1", "one");
    folder_.write("archive/key2", "two");
    auto const link = at("live/key");
    fs::create_symlink("../archive/key1", link);
    begin_with({link, mark()});
    folder_.write("archive/key2", "two, again");
    EXPECT_TRUE(is_quiet(link));
    fs::create_symlink("../archive/key2", at("live/key.new"));
    fs::rename(at("live/key.new"), link);
    EXPECT_TRUE(is_told(link));
    settle();
    reports_.clear();
    folder_.write("archive/key2", "two, once more");  // in a file that is watched since
    EXPECT_TRUE(is_told(link));
    settle();
    reports_.clear();
    folder_.write("archive/key1", "one, again");
    EXPECT_TRUE(is_quiet(link));
}

// As Kubernetes mounts a secret: file -> ..data/file, and ..data -> another directory each time.
TEST_F(FileWatcherTest, LinkToAnotherDirectory) {
    for (auto const* const version : {"1", "2"}) {
        fs::create_directories(at(version));
        folder_.write(std::string(version) + "/key", version);
    }
    fs::create_symlink("1", at("data"));
    fs::create_symlink("data/key", at("key"));
    begin_with({at("key"), mark()});
    fs::create_symlink("2", at("data.new"));
    fs::rename(at("data.new"), at("data"));
    fs::remove_all(at("1"));
    EXPECT_TRUE(is_told(at("key")));
    settle();
    reports_.clear();
    folder_.write("2/key", "2, again");
    EXPECT_TRUE(is_told(at("key")));
}

TEST_F(FileWatcherTest, DirectoryRemovedAndMadeAgain) {
    fs::create_directories(at("x/y"));
    auto const file = folder_.write("x/y/a", "one");
    begin_with({file, mark()});
    for (int i = 0; i < 3; ++i) {
        fs::remove_all(at("x"));
        EXPECT_TRUE(is_told(file));
        settle();
        reports_.clear();
        fs::create_directories(at("x"));
        settle();
        fs::create_directories(at("x/y"));
        EXPECT_TRUE(is_quiet(file));
        folder_.write("x/y/a", "two");
        EXPECT_TRUE(is_told(file));
        settle();
        reports_.clear();
    }
}

TEST_F(FileWatcherTest, DirectoryMadeWithTheFileInIt) {
    auto const file = at("x/y/a");
    begin_with({file});
    fs::create_directories(at("z/y"));
    folder_.write("z/y/a", "one");
    fs::rename(at("z"), at("x"));
    EXPECT_TRUE(is_told(file));
}

TEST_F(FileWatcherTest, DirectoryMovedAway) {
    fs::create_directories(at("x"));
    auto const file = folder_.write("x/a", "one");
    begin_with({file});
    fs::rename(at("x"), at("z"));
    EXPECT_TRUE(is_told(file));
}

// A folder with a sub-folder for each name.
TEST_F(FileWatcherTest, DirectoryInWhichSomethingComesAndGoes) {
    fs::create_directories(at("live/one"));
    begin_with({at("live"), mark()});
    folder_.write("live/one/key", "one");
    EXPECT_TRUE(is_quiet(at("live")));
    fs::create_directories(at("live/two"));
    EXPECT_TRUE(is_told(at("live")));
    settle();
    reports_.clear();
    fs::rename(at("live/two"), at("three"));
    EXPECT_TRUE(is_told(at("live")));
    settle();
    reports_.clear();
    fs::remove_all(at("live"));
    EXPECT_TRUE(is_told(at("live")));
    settle();
    fs::create_directories(at("live"));
    settle();
    reports_.clear();
    fs::create_directories(at("live/four"));
    EXPECT_TRUE(is_told(at("live")));
}

// Further up than there are watches.
TEST_F(FileWatcherTest, LookingFindsWhatInotifyDoesNot) {
    fs::create_directories(at("x/y/z"));
    auto const file = folder_.write("x/y/z/a", "one");
    begin({.settle = 10ms, .look = 20ms});
    watch({file});
    fs::rename(at("x"), at("w"));
    EXPECT_TRUE(is_told(file));
    fs::create_directories(at("v/y/z"));
    folder_.write("v/y/z/a", "two");
    fs::rename(at("v"), at("x"));
    EXPECT_TRUE(is_told(file));
}

TEST_F(FileWatcherTest, WatchReplacesWhatWasWatched) {
    auto const one = folder_.write("a", "one");
    auto const other = folder_.write("b", "one");
    begin_with({one, mark()});
    folder_.write("a", "two");
    watch({one, other, mark()});
    EXPECT_TRUE(is_told(one));
    watch({other, mark()});
    folder_.write("a", "three");
    EXPECT_TRUE(is_quiet(one));
    folder_.write("b", "two");
    EXPECT_TRUE(is_told(other));
    watch({});
    folder_.write("b", "three");
    watch({mark()});
    EXPECT_TRUE(is_quiet(other));
}

TEST_F(FileWatcherTest, WatchKeepsWhatIsNotReportedYet) {
    auto const file = folder_.write("a", "one");
    begin({.settle = 100ms, .look = 1h});
    watch({file});
    io_.poll();
    folder_.write("a", "two");
    ASSERT_EQ(io_.run_one_for(10s), 1U);  // the event is read, and settles
    watch({file, mark()});
    EXPECT_TRUE(is_told(file));
}

TEST_F(FileWatcherTest, WatchFromWithin) {
    auto const one = folder_.write("a", "one");
    auto const other = folder_.write("b", "one");
    begin_with({one, other});
    then_ = [&](const fs::path& file) { watcher_->watch({file == one ? other : one}); };
    folder_.write("a", "two");
    folder_.write("b", "two");
    EXPECT_TRUE(is_told(one));
    EXPECT_TRUE(is_told(other));
}

TEST_F(FileWatcherTest, DestroyedFromWithin) {
    auto const one = folder_.write("a", "one");
    auto const other = folder_.write("b", "one");
    begin_with({one, other});
    int calls = 0;
    then_ = [&](const fs::path&) {
        ++calls;
        watcher_.reset();
    };
    folder_.write("a", "two");
    folder_.write("b", "two");
    EXPECT_TRUE(run_until([&] { return calls != 0; }));
    io_.restart();
    io_.run();  // to the end: nothing is waited for any more
    EXPECT_EQ(calls, 1);
}

// More events than the kernel keeps: everything may have changed.
TEST_F(FileWatcherTest, Overflow) {
    int most = 0;
    std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> most;
    if (most == 0 || most > 100'000) GTEST_SKIP() << "the kernel keeps " << most << " events";
    fs::create_directories(at("busy"));
    auto const file = folder_.write("a", "one");
    begin_with({file, at("busy/c")});
    std::vector<fs::path> const busy{folder_.write("busy/a", ""), folder_.write("busy/b", "")};
    for (int i = 0; i <= most; ++i)
        Fd(::open(busy[static_cast<std::size_t>(i % 2)].c_str(), O_WRONLY | O_CLOEXEC));
    EXPECT_TRUE(is_told(file));
}

TEST_F(FileWatcherTest, WithoutInotify) {
    auto const file = folder_.write("a", "one");
    no_inotify = true;
    begin({.settle = 10ms, .look = 1h, .look_without_inotify = 20ms});
    no_inotify = false;
    watch({file});
    EXPECT_EQ(watcher_->why_no_inotify(), "inotify: Too many open files");
    folder_.write("a", "longer");
    EXPECT_TRUE(is_told(file));
    fs::remove(file);
    EXPECT_TRUE(is_told(file));
    folder_.write("a", "back");
    EXPECT_TRUE(is_told(file));
}

}  // namespace
}  // namespace stanzagate::proxy
