#include "certs/certificate_store.hpp"

#include <gmock/gmock.h>

#include "tests/certs/test_certificates.hpp"

namespace stanzagate::certs {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::issue;

config::Config self_signed(const std::vector<std::string>& names) {
    config::Config config;
    for (const std::string& name : names) {
        config::Host host;
        host.name = testing::pattern(name);
        host.self_signed = true;
        config.hosts.push_back(std::move(host));
    }
    config.index_hosts();
    return config;
}

std::vector<std::string> messages(const config::Diagnostics& diagnostics) {
    std::vector<std::string> texts;
    for (const config::Diagnostic& diagnostic : diagnostics.sorted())
        texts.push_back(diagnostic.to_string());
    return texts;
}

// Which host's identity is found, by its place in the configuration; -1 for none.
std::ptrdiff_t found_host(const CertificateStore& store, std::string_view name) {
    const IdentitySet* const identity = store.find(name);
    for (std::size_t i = 0; i < store.entries().size(); ++i)
        if (store.entries()[i].identity.get() == identity) return static_cast<std::ptrdiff_t>(i);
    return -1;
}

std::ptrdiff_t configured_host(const config::Config& config, std::string_view name) {
    const config::Host* const host = config.find_host(name);
    return host == nullptr ? -1 : host - config.hosts.data();
}

struct Lookup {
    const char* name;
    std::vector<std::string> hosts;
    std::string_view wanted;
    std::ptrdiff_t found;
};

class CertificateStoreLookup : public ::testing::TestWithParam<Lookup> {};

TEST_P(CertificateStoreLookup, GivesTheClosestHost) {
    const config::Config config = self_signed(GetParam().hosts);
    config::Diagnostics diagnostics;
    const auto store = CertificateStore::load(config, diagnostics, at(2030, 1, 1));
    ASSERT_TRUE(store);
    EXPECT_EQ(found_host(*store, GetParam().wanted), GetParam().found);
    EXPECT_EQ(configured_host(config, GetParam().wanted), GetParam().found);
}

const std::vector<std::string> all_kinds{"*", "*.org", "*.example.org", "example.org",
                                         "a.example.org"};
const std::vector<std::string> no_any{"*.example.org", "example.org"};
const std::string dots(16'000, '.');
const std::string long_name = std::string(16'000, 'a') + ".example.org";

INSTANTIATE_TEST_SUITE_P(
    , CertificateStoreLookup,
    ::testing::Values(Lookup{"exact", all_kinds, "example.org", 3},
                      Lookup{"exact_before_wildcard", all_kinds, "a.example.org", 4},
                      Lookup{"longest_wildcard", all_kinds, "b.example.org", 2},
                      Lookup{"wildcard_many_labels", all_kinds, "c.b.example.org", 2},
                      Lookup{"shorter_wildcard", all_kinds, "example2.org", 1},
                      Lookup{"any", all_kinds, "example.net", 0},
                      Lookup{"any_without_dots", all_kinds, "org", 0},
                      Lookup{"case", all_kinds, "A.Example.ORG", 4},
                      Lookup{"case_wildcard", all_kinds, "B.EXAMPLE.ORG", 2},
                      Lookup{"empty", all_kinds, "", -1}, Lookup{"none", no_any, "example.net", -1},
                      Lookup{"wildcard_is_not_its_parent", {"*.example.org"}, "example.org", -1},
                      Lookup{"wildcard_needs_a_label", {"*.example.org"}, ".example.org", -1},
                      Lookup{"suffix_is_no_label", no_any, "notexample.org", -1},
                      Lookup{"trailing_dot", no_any, "example.org.", -1},
                      Lookup{"zero_byte", no_any, std::string_view("example.org\0", 12), -1},
                      Lookup{"dots", no_any, dots, -1}, Lookup{"long_name", no_any, long_name, 0}),
    [](const auto& test) { return test.param.name; });

TEST(CertificateStore, FindsEachOf1000Hosts) {
    std::vector<std::string> names;
    names.reserve(1000);
    for (int i = 0; i < 1000; ++i)
        names.push_back((i % 3 == 0 ? "*.host" : "host") + std::to_string(i) + ".example");
    const config::Config config = self_signed(names);
    config::Diagnostics diagnostics;
    auto loaded = CertificateStore::load(config, diagnostics, at(2030, 1, 1));
    ASSERT_TRUE(loaded);
    const IdentitySet* const first = loaded->first();
    const CertificateStore store = std::move(*loaded);  // which keeps pointers valid
    EXPECT_EQ(store.first(), first);
    ASSERT_EQ(store.entries().size(), names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        const bool wildcard = names[i].starts_with("*.");
        const std::string name = wildcard ? "chat" + names[i].substr(1) : names[i];
        ASSERT_EQ(found_host(store, name), static_cast<std::ptrdiff_t>(i)) << name;
    }
    EXPECT_EQ(store.find("host1000.example"), nullptr);
}

TEST(CertificateStore, LoadsAPairOfFilesOnce) {
    const TemporaryFolder folder;
    const auto issued = issue({.names = {"example.org", "example.net"}});
    config::Config config;
    config.hosts = {testing::host_with("example.org", issued, folder),
                    testing::host_with("example.org", issued, folder)};
    config.hosts[1].name = testing::pattern("example.net");
    config::Diagnostics diagnostics;
    const auto store = CertificateStore::load(config, diagnostics, at(2030, 1, 1));
    ASSERT_TRUE(store);
    EXPECT_THAT(messages(diagnostics), IsEmpty());
    EXPECT_NE(store->find("example.org"), nullptr);
    EXPECT_EQ(store->find("example.org"), store->find("example.net"));
    EXPECT_EQ(store->entries().size(), 2U);
}

TEST(CertificateStore, TellsOfAllHostsButOfAPairOnce) {
    config::Config config;
    const std::array<const char*, 3> names{"a.example", "b.example", "c.example"};
    for (int i = 0; i < 3; ++i) {
        config::Host host;
        host.name = testing::pattern(names.at(static_cast<std::size_t>(i)));
        host.certificates = {{i < 2 ? "/nonexistent/ab.pem" : "/nonexistent/c.pem",
                              "/nonexistent/key.pem",
                              {"gate.toml", 10 + i, 1},
                              {"gate.toml", 20 + i, 1}}};
        config.hosts.push_back(std::move(host));
    }
    config::Diagnostics diagnostics;
    EXPECT_FALSE(CertificateStore::load(config, diagnostics, at(2030, 1, 1)));
    EXPECT_THAT(
        messages(diagnostics),
        ElementsAre(HasSubstr("gate.toml:10:1: error: "), HasSubstr("gate.toml:12:1: error: "),
                    HasSubstr("gate.toml:20:1: error: "), HasSubstr("gate.toml:22:1: error: ")));
}

TEST(CertificateStore, WarnsOfNamesThatAreNotCovered) {
    const TemporaryFolder folder;
    const auto issued = issue({.names = {"example.org"}});
    config::Config config;
    for (const char* name : {"example.org", "example.net", "*.example.net", "*", "*.org",
                             "*.example.org", "b\xc3\xbc.example"}) {
        config.hosts.push_back(testing::host_with("files", issued, folder));
        config.hosts.back().name = testing::pattern(name);
        config.hosts.back().certificates.front().certificate_where = {"gate.toml", 7, 15};
    }
    config::Diagnostics diagnostics;
    ASSERT_TRUE(CertificateStore::load(config, diagnostics, at(2030, 1, 1)));
    const std::string begin = "gate.toml:7:15: warning: host.certificate: \"" +
                              (folder.path() / "files.pem").string() + "\" is not for ";
    EXPECT_THAT(messages(diagnostics),
                ElementsAre(begin + "\"example.net\": clients will refuse it",
                            begin + "any name below \"example.net\": clients will refuse it",
                            begin + "any name below \"example.org\": clients will refuse it"));
}

// Three hosts: two with files of their own, and one that is self-signed.
class CertificateStoreReload : public ::testing::Test {
protected:
    CertificateStoreReload() {
        config_.hosts = {testing::host_with("a.example", issue({.names = {"a.example"}}), folder_),
                         testing::host_with("b.example", issue({.names = {"b.example"}}), folder_)};
        config_.hosts.push_back(self_signed({"c.example"}).hosts.front());
        store_ = CertificateStore::load(config_, diagnostics_, at(2030, 1, 1));
        diagnostics_ = {};
    }
    CertificateStore reload(TimePoint now = at(2030, 1, 1)) {
        diagnostics_ = {};
        return store_->reload(config_, diagnostics_, now);
    }
    const IdentitySet* before(std::string_view name) const { return store_->find(name); }

    TemporaryFolder folder_;
    config::Config config_;
    config::Diagnostics diagnostics_;
    std::optional<CertificateStore> store_;
};

TEST_F(CertificateStoreReload, SharesWhatIsTheSame) {
    const auto store = reload();
    EXPECT_THAT(messages(diagnostics_), IsEmpty());
    for (const auto* const name : {"a.example", "b.example", "c.example"})
        EXPECT_EQ(store.find(name), before(name)) << name;
    EXPECT_EQ(store.files(), store_->files());
}

TEST_F(CertificateStoreReload, TakesWhatHasChanged) {
    const auto renewed = issue({.names = {"b.example"}});
    testing::host_with("b.example", renewed, folder_);
    const auto store = reload();
    EXPECT_THAT(messages(diagnostics_), IsEmpty());
    EXPECT_EQ(store.find("a.example"), before("a.example"));
    EXPECT_EQ(
        X509_cmp(store.find("b.example")->all().front().certificate(), renewed.certificate.get()),
        0);
    EXPECT_EQ(store.find("c.example"), before("c.example"));
}

TEST_F(CertificateStoreReload, AHostWhoseFilesAreBrokenKeepsWhatItHas) {
    const auto renewed = issue({.names = {"b.example"}});
    testing::host_with("b.example", renewed, folder_);
    folder_.write("a.example.key", renewed.key_pem());
    const auto store = reload();
    EXPECT_TRUE(diagnostics_.has_errors());
    EXPECT_EQ(store.find("a.example"), before("a.example"));
    EXPECT_NE(store.find("b.example"), before("b.example"));
    ASSERT_EQ(store.entries().size(), 3U);
    // And again from there.
    std::filesystem::remove(folder_.path() / "b.example.pem");
    const auto next = store.reload(config_, diagnostics_, at(2030, 1, 1));
    EXPECT_EQ(next.find("a.example"), before("a.example"));
    EXPECT_EQ(next.find("b.example"), store.find("b.example"));
}

TEST_F(CertificateStoreReload, MakesASelfSignedOneAgainBeforeItExpires) {
    EXPECT_EQ(reload(at(2030, 1, 15)).find("c.example"), before("c.example"));
    const auto store = reload(at(2030, 1, 20));
    EXPECT_NE(store.find("c.example"), before("c.example"));
    EXPECT_GT(store.find("c.example")->expires(), at(2030, 2, 10));
    const auto by_signal =
        CertificateStore::load(config_, diagnostics_, at(2030, 1, 20), &store_.value());
    ASSERT_TRUE(by_signal);
    EXPECT_NE(by_signal->find("c.example"), before("c.example"));
    EXPECT_EQ(by_signal->find("a.example"), before("a.example"));
}

// As at SIGHUP: the configuration may be another one.
TEST_F(CertificateStoreReload, AnotherConfigurationSharesWhatIsTheSame) {
    config::Config config;
    config.hosts = {config_.hosts[2], config_.hosts[1],
                    testing::host_with("d.example", issue({.names = {"d.example"}}), folder_),
                    config_.hosts[0]};
    const auto store =
        CertificateStore::load(config, diagnostics_, at(2030, 1, 1), &store_.value());
    ASSERT_TRUE(store);
    for (const auto* const name : {"a.example", "b.example", "c.example"})
        EXPECT_EQ(store->find(name), before(name)) << name;
    EXPECT_TRUE(store->find("d.example")->covers("d.example"));
}

TEST_F(CertificateStoreReload, AnotherConfigurationHasItsOwnOtherwise) {
    config::Config config = config_;
    auto& a = config.hosts[0];
    auto& b = config.hosts[1];
    auto& c = config.hosts[2];
    a.self_signed = true;
    a.certificates.clear();
    c.self_signed = false;
    c.certificates = b.certificates;
    b.certificates.front().certificate = folder_.path() / "a.example/../b.example.pem";
    std::filesystem::create_directory(folder_.path() / "a.example");
    const auto store =
        CertificateStore::load(config, diagnostics_, at(2030, 1, 1), &store_.value());
    ASSERT_TRUE(store);
    EXPECT_TRUE(store->find("a.example")->made_in_memory());
    EXPECT_NE(store->find("b.example"), before("b.example"));
    EXPECT_EQ(store->find("b.example")->name(), b.certificates.front().certificate.string());
    EXPECT_TRUE(store->find("c.example")->covers("b.example"));
}

TEST_F(CertificateStoreReload, AnotherConfigurationWithoutAFileIsRefused) {
    std::filesystem::remove(folder_.path() / "b.example.pem");
    EXPECT_FALSE(CertificateStore::load(config_, diagnostics_, at(2030, 1, 1), &store_.value()));
    EXPECT_TRUE(diagnostics_.has_errors());
}

TEST(CertificateStore, NamesAllThatItReads) {
    const TemporaryFolder folder;
    config::Config config;
    config.hosts = {testing::host_with("a.example", issue({.names = {"a.example"}}), folder)};
    config.hosts.push_back(config.hosts.front());
    config.hosts.back().name = testing::pattern("b.example");
    config.hosts.back().certificates = {{folder.path() / "live", {}, {}, {}}};
    std::filesystem::create_directories(folder.path() / "live/b.example");
    const auto issued = issue({.names = {"b.example"}});
    folder.write("live/b.example/fullchain.pem", issued.pem());
    folder.write("live/b.example/privkey.pem", issued.key_pem());
    config::Diagnostics diagnostics;
    const auto store = CertificateStore::load(config, diagnostics, at(2030, 1, 1));
    ASSERT_TRUE(store) << messages(diagnostics).front();
    EXPECT_TRUE(store->find("b.example")->covers("b.example"));
    std::vector<std::string> files;
    for (const auto& file : store->files())
        files.push_back(file.lexically_relative(folder.path()).string());
    EXPECT_THAT(files, ::testing::IsSupersetOf({"a.example.pem", "a.example.key", "live",
                                                "live/b.example/fullchain.pem",
                                                "live/b.example/privkey.pem"}));
}

TEST(CertificateStore, WarnsOfSelfSigned) {
    config::Config config = self_signed({"*.example.org"});
    config.hosts.front().where = {"gate.toml", 4, 8};
    config::Diagnostics diagnostics;
    const auto store = CertificateStore::load(config, diagnostics, at(2030, 1, 1));
    ASSERT_TRUE(store);
    EXPECT_THAT(messages(diagnostics),
                ElementsAre("gate.toml:4:8: warning: host.self_signed: the certificate of "
                            "\"*.example.org\" is made at start; clients will not trust it"));
    EXPECT_TRUE(store->first()->covers("chat.example.org"));
}

TEST(CertificateStore, IsEmptyWithoutHosts) {
    config::Diagnostics diagnostics;
    const auto store = CertificateStore::load(config::Config{}, diagnostics, at(2030, 1, 1));
    ASSERT_TRUE(store);
    EXPECT_EQ(store->first(), nullptr);
    EXPECT_EQ(store->find("example.org"), nullptr);
}

}  // namespace
}  // namespace stanzagate::certs
