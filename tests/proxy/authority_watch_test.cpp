#include "proxy/authority_watch.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "tests/certs/test_certificates.hpp"
#include "tests/proxy/background_test.hpp"
#include "tests/proxy/captured_log.hpp"

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;
using certs::testing::issue;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// One host whose upstream is verified by a file.
class AuthorityWatchTest : public testing::BackgroundTest {
protected:
    AuthorityWatchTest() {
        write(issue({.authority = true}).pem());
        snapshot_ = load();
        watch_.emplace(
            io_, log_,
            [this](const AuthorityWatch::Tls& tls, const std::function<void()>& in_use) {
                taken_.push_back(tls);
                in_use();
            },
            FileReloadSettings{
                .watcher = {.settle = 10ms, .look = 1h}, .again = 10ms, .patience = 50ms});
        watch_->watch(snapshot_);
        run_quietly();
    }

    void write(std::string_view text) { folder_.write("ca.pem", text); }
    std::shared_ptr<const Snapshot> load() const {
        const std::string toml = R"(
            [[listen]]
            address = "127.0.0.1:0"
            [registration]
            url = "https://example.org/"
            [[host]]
            name = "a.example"
            self_signed = true
            upstream = { address = "tls://192.0.2.1:5223", ca = ")" +
                                 file_.string() + "\" }\n";
        config::Diagnostics diagnostics;
        auto config = config::load_text(toml, "gate.toml", diagnostics);
        auto snapshot = config ? load_snapshot(*std::move(config), diagnostics) : nullptr;
        EXPECT_NE(snapshot, nullptr) << diagnostics.all().front().to_string();
        return snapshot;
    }

    TemporaryFolder folder_;
    std::filesystem::path file_ = folder_.path() / "ca.pem";
    testing::CapturedLog logged_;
    Log log_{config::LogSettings{}};
    std::shared_ptr<const Snapshot> snapshot_;
    std::vector<AuthorityWatch::Tls> taken_;
    std::optional<AuthorityWatch> watch_;
};

TEST_F(AuthorityWatchTest, NothingIsTakenWhereNothingHasChanged) {
    std::filesystem::permissions(file_, std::filesystem::perms(0600));
    run_quietly();
    EXPECT_THAT(taken_, IsEmpty());
    EXPECT_EQ(watch_->reloads().ok, 0U);
}

TEST_F(AuthorityWatchTest, TakesAnotherFile) {
    write(issue({.authority = true}).pem());
    ASSERT_TRUE(run_until([&] { return taken_.size() == 1; }));
    EXPECT_EQ(taken_[0]->changed_since(snapshot_->upstream_tls).size(), 1U);
    run_quietly();
    EXPECT_EQ(taken_.size(), 1U);
    EXPECT_EQ(watch_->reloads().ok, 1U);
    EXPECT_THAT(logged_.lines("authorities_reloaded"),
                ElementsAre("level=info event=authorities_reloaded file=" + file_.string()));
}

TEST_F(AuthorityWatchTest, ABrokenOneIsToldOfOnceAndNotTaken) {
    write("nothing");
    ASSERT_TRUE(run_until([&] { return watch_->reloads().failed == 1; }));
    run_quietly();
    EXPECT_THAT(taken_, IsEmpty());
    // And a good one after it is taken.
    write(issue({.authority = true}).pem());
    ASSERT_TRUE(run_until([&] { return taken_.size() == 1; }));
    EXPECT_EQ(watch_->reloads().failed, 1U);
    EXPECT_THAT(logged_.lines("authorities"),
                ElementsAre(::testing::MatchesRegex(
                    "level=error event=authorities file=gate.toml line=9 column=[0-9]+ "
                    "message=\"host.upstream.ca: no certificate in .*\" "
                    "consequence=\"what was trusted stays trusted\"")));
}

}  // namespace
}  // namespace stanzagate::proxy
