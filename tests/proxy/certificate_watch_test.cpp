#include "proxy/certificate_watch.hpp"

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

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using certs::testing::issue;
using certs::testing::Issued;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Two hosts with files of their own, as certbot lays them: one names its files, one their folder.
class CertificateWatchTest : public testing::BackgroundTest {
protected:
    CertificateWatchTest() {
        renew("a.example");
        renew("b.example");
        snapshot_ = load();
    }

    void begin(std::chrono::milliseconds patience = 1h, std::chrono::milliseconds settle = 10ms) {
        watch_.emplace(
            io_, log_,
            [this](const CertificateWatch::Store& store, const std::function<void()>& in_use) {
                taken_ = store;
                ++times_;
                in_use();
            },
            FileReloadSettings{.watcher = {.settle = settle, .look = 1h},
                               .again = 10ms,
                               .patience = patience,
                               .later = 10ms});
        watch_->watch(snapshot_);
        run_quietly();
    }

    std::shared_ptr<const Snapshot> load() const {
        const std::string live = (folder_.path() / "live").string();
        const std::string toml = R"(
            [[listen]]
            address = "127.0.0.1:0"
            [registration]
            url = "https://example.org/"
            [[host]]
            name = "a.example"
            upstream = "tcp://192.0.2.1:5222"
            certificate = ")" + live +
                                 R"(/a.example/fullchain.pem"
            key = ")" + live + R"(/a.example/privkey.pem"
            [[host]]
            name = "b.example"
            upstream = "tcp://192.0.2.1:5222"
            certificate = ")" + live +
                                 "\"\n";
        config::Diagnostics diagnostics;
        auto config = config::load_text(toml, "gate.toml", diagnostics);
        auto snapshot = config ? load_snapshot(*std::move(config), diagnostics) : nullptr;
        EXPECT_NE(snapshot, nullptr) << diagnostics.all().front().to_string();
        return snapshot;
    }

    // As certbot does it: new files in archive/, and links in live/ that are replaced one by one.
    void renew_one(const std::string& name, const char* file, const std::string& text) {
        const std::string in = "live/" + name + "/";
        fs::create_directories(folder_.path() / in);
        fs::create_directories(folder_.path() / "archive" / name);
        const std::string number = std::to_string(++renewals_);
        folder_.write("archive/" + name + "/" + file + number, text);
        const fs::path link = folder_.path() / in / file;
        fs::remove(link);
        fs::create_symlink("../../archive/" + name + "/" + file + number, link);
    }
    const Issued& renew(const std::string& name) {
        last_ = issue({.names = {name}});
        renew_one(name, "privkey.pem", last_.key_pem());
        renew_one(name, "fullchain.pem", last_.pem());
        return last_;
    }

    bool shows(const std::string& name, const Issued& issued) const {
        const auto& store = taken_ ? taken_ : snapshot_->certificates;
        return X509_cmp(store->find(name)->all().front().certificate(), issued.certificate.get()) ==
               0;
    }

    TemporaryFolder folder_;
    int renewals_ = 0;
    Issued last_;
    testing::CapturedLog logged_;
    Log log_{config::LogSettings{}};
    std::shared_ptr<const Snapshot> snapshot_;
    CertificateWatch::Store taken_;
    int times_ = 0;
    std::optional<CertificateWatch> watch_;
};

TEST_F(CertificateWatchTest, NothingIsTakenWhereNothingHasChanged) {
    begin();
    fs::permissions(folder_.path() / "live/a.example/privkey.pem", fs::perms(0600));
    run_quietly();
    EXPECT_EQ(times_, 0);
    EXPECT_EQ(watch_->reloads().ok, 0U);
    EXPECT_THAT(logged_.lines("certificate"), IsEmpty());
}

TEST_F(CertificateWatchTest, TakesARenewedPair) {
    begin();
    auto const b = snapshot_->certificates->find("b.example");
    const Issued& renewed = renew("a.example");
    ASSERT_TRUE(run_until([&] { return shows("a.example", renewed); }));
    EXPECT_EQ(taken_->find("b.example"), b);
    run_quietly();
    EXPECT_EQ(times_, 1);
    EXPECT_EQ(watch_->reloads().ok, 1U);
    EXPECT_EQ(watch_->reloads().failed, 0U);
    EXPECT_THAT(logged_.lines("certificate_reloaded"),
                ElementsAre("level=info event=certificate_reloaded host=a.example file=" +
                            (folder_.path() / "live/a.example/fullchain.pem").string() +
                            " expires=2090-01-01"));
}

TEST_F(CertificateWatchTest, WaitsForTheOtherHalf) {
    begin();
    const Issued renewed = issue({.names = {"b.example"}});
    renew_one("b.example", "fullchain.pem", renewed.pem());
    io_.restart();
    io_.run_for(40ms);
    EXPECT_EQ(times_, 0);
    renew_one("b.example", "privkey.pem", renewed.key_pem());
    ASSERT_TRUE(run_until([&] { return shows("b.example", renewed); }));
    EXPECT_THAT(logged_.lines("certificate"), IsEmpty());
    EXPECT_EQ(watch_->reloads().failed, 0U);
}

TEST_F(CertificateWatchTest, ABadOneStaysOutAndIsToldOfOnce) {
    begin(100ms);
    renew_one("a.example", "privkey.pem", issue({}).key_pem());
    const Issued& renewed = renew("b.example");  // which is nothing to the other host
    ASSERT_TRUE(run_until([&] { return shows("b.example", renewed); }));
    ASSERT_TRUE(run_until([&] { return watch_->reloads().failed == 1; }));
    run_quietly();
    EXPECT_EQ(watch_->reloads().failed, 1U);
    EXPECT_EQ(taken_->find("a.example"), snapshot_->certificates->find("a.example"));
    EXPECT_THAT(logged_.lines("certificate"),
                ElementsAre(::testing::AllOf(
                    HasSubstr("level=error event=certificate file=gate.toml line=10 column=19 "
                              "message=\"host.key: "),
                    HasSubstr("is not the key of the first certificate"),
                    HasSubstr("consequence=\"the certificate in use stays\""))));
    // And a good one after it is taken.
    const Issued& good = renew("a.example");
    EXPECT_TRUE(run_until([&] { return shows("a.example", good); }));
}

// As where they could not be opened when they changed.
TEST_F(CertificateWatchTest, ABadOneIsReadAgainThoughItDoesNotChange) {
    auto const live = folder_.path() / "live/a.example";
    fs::rename(live, folder_.path() / "elsewhere");
    begin(0ms, 1h);
    ASSERT_TRUE(run_until([&] { return watch_->reloads().failed == 1; }));
    fs::rename(folder_.path() / "elsewhere", live);
    const Issued& renewed = renew("a.example");
    EXPECT_TRUE(run_until([&] { return shows("a.example", renewed); }));
    EXPECT_EQ(watch_->reloads().failed, 1U);
}

TEST_F(CertificateWatchTest, FilesThatAreGoneAreABadReplacement) {
    begin(100ms);
    fs::remove_all(folder_.path() / "live/b.example");
    ASSERT_TRUE(run_until([&] { return watch_->reloads().failed == 1; }));
    EXPECT_EQ(times_, 0);
    const Issued& back = renew("b.example");
    EXPECT_TRUE(run_until([&] { return shows("b.example", back); }));
}

// Of a host that has had another's for want of its own.
TEST_F(CertificateWatchTest, NoticesANewSubfolder) {
    begin();
    fs::rename(folder_.path() / "live/b.example", folder_.path() / "live/other");
    snapshot_ = load();
    watch_->watch(snapshot_);
    run_quietly();
    EXPECT_EQ(times_, 0);
    const Issued& renewed = renew("b.example");
    EXPECT_TRUE(run_until([&] { return shows("b.example", renewed); }));
}

TEST_F(CertificateWatchTest, WarningsAreToldOnce) {
    begin();
    const Issued renewed = issue({.names = {"other.example"}});
    renew_one("a.example", "privkey.pem", renewed.key_pem());
    renew_one("a.example", "fullchain.pem", renewed.pem());
    ASSERT_TRUE(run_until([&] { return shows("a.example", renewed); }));
    const Issued& other = renew("b.example");
    ASSERT_TRUE(run_until([&] { return shows("b.example", other); }));
    EXPECT_THAT(logged_.lines("certificate"),
                ElementsAre(::testing::AllOf(HasSubstr("level=warning"),
                                             HasSubstr("is not for \\\"a.example\\\""),
                                             ::testing::Not(HasSubstr("consequence")))));
}

}  // namespace
}  // namespace stanzagate::proxy
