#include "proxy/file_reload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "tests/proxy/background_test.hpp"
#include "tests/temporary_folder.hpp"

namespace stanzagate::proxy {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Attempt = FileReload::Attempt;

class FileReloadTest : public testing::BackgroundTest {
protected:
    void begin(std::chrono::milliseconds patience, std::chrono::milliseconds later = 1h) {
        reload_.emplace(
            io_,
            [this](Attempt attempt) {
                attempts_.push_back(attempt);
                if (then_) then_();
                return usable_;
            },
            FileReloadSettings{.watcher = {.settle = 10ms, .look = 1h},
                               .again = 5ms,
                               .patience = patience,
                               .later = later});
        reload_->watch({file_});
    }
    bool has_given_up() const { return !attempts_.empty() && attempts_.back() == Attempt::last; }

    TemporaryFolder folder_;
    fs::path file_ = folder_.write("a", "one");
    bool usable_ = true;
    std::vector<Attempt> attempts_;
    std::function<void()> then_;
    std::optional<FileReload> reload_;
};

TEST_F(FileReloadTest, ReadsOnceAfterWatchAndOnceAfterAChange) {
    begin(1h);
    EXPECT_TRUE(attempts_.empty());  // not from within
    ASSERT_TRUE(run_until([&] { return !attempts_.empty(); }));
    run_quietly();
    EXPECT_EQ(attempts_, std::vector{Attempt::one_of_many});
    folder_.write("a", "two");
    ASSERT_TRUE(run_until([&] { return attempts_.size() == 2; }));
    run_quietly();
    EXPECT_EQ(attempts_.size(), 2U);
}

TEST_F(FileReloadTest, TriesAgainUntilItCanBeUsed) {
    usable_ = false;
    begin(1h);
    ASSERT_TRUE(run_until([&] { return attempts_.size() > 3; }));
    usable_ = true;
    auto const failed = attempts_.size();
    run_quietly();
    EXPECT_EQ(attempts_, std::vector(failed + 1, Attempt::one_of_many));
}

TEST_F(FileReloadTest, GivesUpOnceForEachChange) {
    usable_ = false;
    begin(20ms);
    ASSERT_TRUE(run_until([&] { return has_given_up(); }));
    EXPECT_EQ(std::count(attempts_.begin(), attempts_.end(), Attempt::last), 1);
    auto const tried = attempts_.size();
    run_quietly();
    EXPECT_EQ(attempts_.size(), tried);
    attempts_.clear();
    folder_.write("a", "still wrong");
    EXPECT_TRUE(run_until([&] { return has_given_up(); }));
}

TEST_F(FileReloadTest, TriesAgainLaterWithoutAChange) {
    usable_ = false;
    begin(20ms, 5ms);
    ASSERT_TRUE(
        run_until([&] { return !attempts_.empty() && attempts_.back() == Attempt::later; }));
    EXPECT_EQ(std::count(attempts_.begin(), attempts_.end(), Attempt::last), 1);
    usable_ = true;
    run_quietly();
    auto const tried = attempts_.size();
    run_quietly();
    EXPECT_EQ(attempts_.size(), tried);
}

TEST_F(FileReloadTest, OneThatThrowsIsTriedAgain) {
    then_ = [&] {
        then_ = nullptr;
        throw std::bad_alloc();
    };
    begin(1h);
    EXPECT_THROW(run_until([] { return false; }), std::bad_alloc);
    EXPECT_TRUE(run_until([&] { return attempts_.size() == 2; }));
}

TEST_F(FileReloadTest, OtherFilesFromWithin) {
    auto const other = folder_.write("b", "one");
    then_ = [&] {
        then_ = nullptr;
        reload_->watch({other});
    };
    begin(1h);
    ASSERT_TRUE(run_until([&] { return attempts_.size() == 2; }));
    folder_.write("a", "two");
    run_quietly();
    EXPECT_EQ(attempts_.size(), 2U);
    folder_.write("b", "two");
    EXPECT_TRUE(run_until([&] { return attempts_.size() == 3; }));
}

}  // namespace
}  // namespace stanzagate::proxy
