#include "proxy/reloader.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "proxy/admin_server.hpp"
#include "tests/proxy/captured_log.hpp"
#include "tests/proxy/scarce_memory.hpp"
#include "tests/proxy/sockets.hpp"
#include "tests/temporary_folder.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr std::size_t much = std::size_t{64} * 1024;

// One worker, whose thread does not run, and a list.
class ReloaderTest : public ::testing::Test {
protected:
    ReloaderTest() {
        workers_.push_back(
            std::make_unique<Worker>(0U, snapshot_,
                                     Shared{log_, admission_, said_, resolver_, lookups_, quotas_,
                                            invitations_, bosh_, recent_, keys_}));
    }

    std::shared_ptr<const Snapshot> load() {
        folder_.write("list", "192.0.2.1\n");
        folder_.write("rules.toml",
                      "[lists]\nspam = { file = 'list' }\n"
                      "[[rule]]\nname = 'spam'\nfrom = ['@spam']\naction = 'refuse'\n");
        auto const file =
            folder_.write("gate.toml",
                          "[[listen]]\naddress = '127.0.0.1:0'\n"
                          "[registration]\nurl = 'https://example.org/'\nrules = ['rules.toml']\n"
                          "[[host]]\nname = 'example.org'\nself_signed = true\n"
                          "upstream = 'tcp://192.0.2.1:5222'\n");
        config::Diagnostics diagnostics;
        auto snapshot = load_snapshot(file, diagnostics);
        EXPECT_TRUE(snapshot) << diagnostics.all().front().to_string();
        return snapshot;
    }
    // One that takes much memory to read.
    void write_long_list() {
        std::string text(2 * much, '\n');
        folder_.write("list", text + "192.0.2.2\n192.0.2.3\n");
    }

    TemporaryFolder folder_;
    testing::CapturedLog logged_;
    Log log_{{}};
    Admission admission_{config::Limits{}};
    SaidOnce said_;
    boost::asio::io_context background_{1};
    NameResolver resolver_{background_};
    ListLookups lookups_{background_, log_};
    SharedQuotas quotas_;
    SharedInvitations invitations_;
    BoshDirectory bosh_;
    Recent recent_;
    certs::TicketKeys keys_ = certs::TicketKeys::generate();
    std::shared_ptr<const Snapshot> snapshot_ = load();
    Reloader::Workers workers_;
    AdminServer admin_{background_, log_};
    Reloader reloader_{background_, snapshot_, workers_, admission_, admin_, log_, keys_, 20ms};
};

TEST_F(ReloaderTest, OneThatRunsOutOfMemoryHasFailed) {
    ASSERT_TRUE(reloader_.open_doors({}));
    write_long_list();
    {
        ScarceMemory const scarce(much);
        reloader_.reload();
    }
    EXPECT_EQ(reloader_.reloads().failed, 1U);
    EXPECT_EQ(reloader_.reloads().ok, 0U);
    reloader_.reload();
    EXPECT_EQ(reloader_.reloads().ok, 1U);
    auto const log = logged_.text();
    EXPECT_NE(log.find("event=exception what=std::bad_alloc"), std::string::npos) << log;
    EXPECT_NE(log.find("event=reload_failed"), std::string::npos) << log;
}

// As after a takeover with another server.admin, or none. Until the other process is gone, it is
// its own.
TEST_F(ReloaderTest, TheFileOfAnAdminSocketThatIsNoMoreGoesWithThePredecessor) {
    auto const file = folder_.path() / "admin.sock";
    auto opened = std::get<AdminSocket>(AdminSocket::open({file}));
    opened.leave_file();
    ASSERT_TRUE(
        reloader_.open_doors({{PassedSocket{opened.release(), SocketUse::admin, true}}, log_}));
    EXPECT_TRUE(std::filesystem::exists(file));
    reloader_.predecessor_is_gone();
    EXPECT_FALSE(std::filesystem::exists(file));
}

// Nothing tells that the file can be read now.
TEST_F(ReloaderTest, AListThatCouldNotBeReadIsTriedAgain) {
    auto const entries = [this] { return reloader_.snapshot().lists().front()->size(); };
    auto const run_until = [this](const std::function<bool()>& holds) {
        return eventually(holds, [this] {
            background_.restart();
            background_.run_one_for(50ms);
        });
    };
    ASSERT_TRUE(reloader_.open_doors({}));
    auto const file = folder_.path() / "list";
    std::filesystem::rename(file, folder_.path() / "elsewhere");
    std::filesystem::create_directory(file);
    background_.run_for(50ms);
    EXPECT_EQ(entries(), 1U);
    std::filesystem::remove(file);
    write_long_list();
    {
        ScarceMemory const scarce(much);
        EXPECT_THROW(background_.run_for(10s), std::bad_alloc);
    }
    EXPECT_TRUE(run_until([&] { return entries() == 2; }));
}

}  // namespace
}  // namespace stanzagate::proxy
