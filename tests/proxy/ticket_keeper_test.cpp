#include "proxy/ticket_keeper.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/certs/test_certificates.hpp"
#include "tests/proxy/background_test.hpp"
#include "tests/proxy/captured_log.hpp"
#include "tests/temporary_folder.hpp"

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;
using certs::TicketKeys;
using certs::testing::ticket_key_line;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TicketKeeperTest : public testing::BackgroundTest {
protected:
    void begin(std::chrono::milliseconds rotation = 1h) {
        keeper_.emplace(
            io_, log_, first_,
            [this](const TicketKeys& keys, const std::function<void()>& in_use) {
                taken_.push_back(keys);
                in_use();
            },
            TicketKeeper::Settings{.reload = {.watcher = {.settle = 10ms, .look = 1h},
                                              .again = 10ms,
                                              .patience = 50ms,
                                              .later = 10ms},
                                   .rotation = rotation});
    }
    TicketKeys write(const std::string& text) {
        folder_.write("keys", text);
        std::filesystem::permissions(file_, std::filesystem::perms(0600));
        config::Diagnostics diagnostics;
        auto const keys = TicketKeys::load(file_, {}, diagnostics);
        return keys ? *keys : first_;
    }
    // As a configuration that names the file, or names none.
    void use(const std::optional<TicketKeys>& loaded) {
        config::Server server;
        if (loaded) server.ticket_keys = file_;
        server.ticket_keys_where = {"gate.toml", 3, 15};
        keeper_->use(server, loaded);
    }
    bool took(const TicketKeys& keys) { return !taken_.empty() && taken_.back() == keys; }

    TemporaryFolder folder_;
    std::filesystem::path file_ = folder_.path() / "keys";
    testing::CapturedLog logged_;
    Log log_{config::LogSettings{}};
    TicketKeys first_ = TicketKeys::generate();
    std::vector<TicketKeys> taken_;
    std::optional<TicketKeeper> keeper_;
};

TEST_F(TicketKeeperTest, RotatesThoseInMemory) {
    begin(10ms);
    use(std::nullopt);
    ASSERT_TRUE(run_until([&] { return taken_.size() >= 2; }));
    EXPECT_NE(taken_[0].find(first_.sealing().name()), nullptr);
    EXPECT_EQ(taken_[1].find(first_.sealing().name()), nullptr);
    EXPECT_NE(taken_[1].find(taken_[0].sealing().name()), nullptr);
    EXPECT_THAT(logged_.lines(), IsEmpty());
}

TEST_F(TicketKeeperTest, KeepsThoseInMemoryOverAReload) {
    begin();
    use(std::nullopt);
    use(std::nullopt);
    run_quietly();
    EXPECT_THAT(taken_, IsEmpty());
}

TEST_F(TicketKeeperTest, TakesThoseOfTheFileWhenItChanges) {
    begin(10ms);
    first_ = write(ticket_key_line('a'));
    use(first_);
    run_quietly();
    ASSERT_EQ(taken_.size(), 1U);  // and they are not rotated
    EXPECT_TRUE(took(first_));
    auto const next = write(ticket_key_line('a') + ticket_key_line('b') + ticket_key_line('c'));
    ASSERT_TRUE(run_until([&] { return took(next); }));
    EXPECT_EQ(keeper_->reloads().ok, 1U);
    EXPECT_THAT(
        logged_.lines(),
        ElementsAre("level=info event=ticket_keys_reloaded file=" + file_.string() + " entries=3"));
}

TEST_F(TicketKeeperTest, ABrokenFileChangesNothingAndIsToldOf) {
    begin();
    auto const good = write(ticket_key_line('a') + ticket_key_line('b'));
    use(good);
    write(ticket_key_line('c') + "c2VjcmV0\n");
    ASSERT_TRUE(run_until([&] { return keeper_->reloads().failed == 1; }));
    run_quietly();
    EXPECT_TRUE(took(good));
    std::filesystem::remove(file_);
    ASSERT_TRUE(run_until([&] { return keeper_->reloads().failed == 2; }));
    EXPECT_TRUE(took(good));
    EXPECT_THAT(
        logged_.lines(),
        ElementsAre(::testing::AllOf(
                        HasSubstr("level=error event=ticket_keys file=" + file_.string() +
                                  " line=2 column=1 message=\"server.ticket_keys: a key has 80 "
                                  "bytes, and this one 6"),
                        HasSubstr("consequence=\"the keys in use stay\""),
                        ::testing::Not(HasSubstr("c2VjcmV0"))),
                    HasSubstr("level=error event=ticket_keys file=gate.toml line=3 column=15")));
}

TEST_F(TicketKeeperTest, AReloadMayNameAFileOrNoMore) {
    begin();
    use(std::nullopt);
    auto const keys = write(ticket_key_line('a'));
    use(keys);
    EXPECT_TRUE(took(keys));
    use(std::nullopt);
    ASSERT_EQ(taken_.size(), 2U);
    EXPECT_EQ(taken_.back().find(keys.sealing().name()), nullptr);
    EXPECT_NE(taken_.back(), first_);
    run_quietly();
    EXPECT_EQ(taken_.size(), 2U);
}

}  // namespace
}  // namespace stanzagate::proxy
