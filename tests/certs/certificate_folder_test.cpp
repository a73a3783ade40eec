#include "certs/certificate_folder.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "tests/certs/test_certificates.hpp"

namespace stanzagate::certs {
namespace {

namespace fs = std::filesystem;
using testing::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::issue;
using testing::Issued;
using ::testing::IsSupersetOf;
using testing::KeyKind;
using testing::pattern;

class CertificateFolderTest : public ::testing::Test {
protected:
    // live/NAME/fullchain.pem and privkey.pem
    void certbot(const std::string& name, const Issued& issued) {
        fs::create_directories(live_ / name);
        folder_.write("live/" + name + "/fullchain.pem", issued.pem());
        folder_.write("live/" + name + "/privkey.pem", issued.key_pem());
    }
    // live/NAME/fullchain.cer and NAME.key, or live/NAME_ecc/...
    void acme(const std::string& name, const Issued& issued, const std::string& ending = "") {
        const std::string in = "live/" + name + ending + "/";
        fs::create_directories(folder_.path() / in);
        folder_.write(in + "fullchain.cer", issued.pem());
        folder_.write(in + name + ".key", issued.key_pem());
    }
    // Certificate and key, one after another, below live/.
    std::vector<std::string> found(std::string_view name) {
        CertificateFolder folder(live_);
        std::vector<std::string> paths;
        for (const config::HostCertificate& one :
             folder.find(pattern(name), {live_, {}, {"gate.toml", 7, 15}, {}}, diagnostics_)) {
            paths.push_back(one.certificate.lexically_relative(live_).string());
            paths.push_back(one.key.lexically_relative(live_).string());
            EXPECT_EQ(one.certificate_where, (config::Position{"gate.toml", 7, 15}));
            EXPECT_EQ(one.key_where, (config::Position{"gate.toml", 7, 15}));
        }
        looked_at_.clear();
        for (const fs::path& path : folder.looked_at())
            looked_at_.push_back(path.lexically_relative(live_).string());
        return paths;
    }
    std::vector<std::string> messages() {
        std::vector<std::string> texts;
        for (const config::Diagnostic& diagnostic : diagnostics_.sorted()) {
            std::string text = diagnostic.to_string();
            const std::string path = folder_.path().string() + "/";
            for (auto place = text.find(path); place != std::string::npos; place = text.find(path))
                text.erase(place, path.size());
            texts.push_back(std::move(text));
        }
        diagnostics_ = {};
        return texts;
    }

    TemporaryFolder folder_;
    fs::path live_ = folder_.path() / "live";
    config::Diagnostics diagnostics_;
    std::vector<std::string> looked_at_;
};

TEST_F(CertificateFolderTest, Certbot) {
    certbot("example.org", issue({.names = {"example.org"}}));
    certbot("a.example.org", issue({.names = {"example.org", "a.example.org"}}));
    folder_.write("live/README", "This directory contains your keys and certificates.");
    EXPECT_THAT(found("example.org"),
                ElementsAre("example.org/fullchain.pem", "example.org/privkey.pem"));
    EXPECT_THAT(messages(), IsEmpty());
    EXPECT_THAT(looked_at_,
                IsSupersetOf({".", "example.org/fullchain.pem", "example.org_ecc/fullchain.cer"}));
}

TEST_F(CertificateFolderTest, Acme) {
    acme("example.org", issue({.names = {"example.org"}, .key = KeyKind::rsa2048}));
    EXPECT_THAT(found("example.org"),
                ElementsAre("example.org/fullchain.cer", "example.org/example.org.key"));
    acme("example.org", issue({.names = {"example.org"}}), "_ecc");
    EXPECT_THAT(found("example.org"),
                ElementsAre("example.org/fullchain.cer", "example.org/example.org.key",
                            "example.org_ecc/fullchain.cer", "example.org_ecc/example.org.key"));
    fs::remove_all(live_ / "example.org");
    EXPECT_THAT(found("example.org"),
                ElementsAre("example.org_ecc/fullchain.cer", "example.org_ecc/example.org.key"));
    EXPECT_THAT(messages(), IsEmpty());
}

// What is wrong with it is told by whoever loads it.
TEST_F(CertificateFolderTest, ItsOwnNameIsMeant) {
    certbot("example.org", issue({.names = {"example.net"}}));
    certbot("other", issue({.names = {"example.org"}}));
    EXPECT_THAT(found("example.org"),
                ElementsAre("example.org/fullchain.pem", "example.org/privkey.pem"));
    folder_.write("live/example.org/fullchain.pem", "not PEM");
    EXPECT_THAT(found("example.org"),
                ElementsAre("example.org/fullchain.pem", "example.org/privkey.pem"));
    EXPECT_THAT(messages(), IsEmpty());
}

TEST_F(CertificateFolderTest, Wildcards) {
    certbot("example.org", issue({.names = {"example.org", "*.example.org"}}));
    EXPECT_THAT(found("*.example.org"),
                ElementsAre("example.org/fullchain.pem", "example.org/privkey.pem"));
    // Not for the names below.
    certbot("example.org", issue({.names = {"example.org"}}));
    certbot("other", issue({.names = {"*.example.org"}}));
    EXPECT_THAT(found("*.example.org"), ElementsAre("other/fullchain.pem", "other/privkey.pem"));
    acme("*.example.org", issue({.names = {"*.example.org"}}), "_ecc");
    EXPECT_THAT(found("*.example.org"), ElementsAre("*.example.org_ecc/fullchain.cer",
                                                    "*.example.org_ecc/*.example.org.key"));
    EXPECT_THAT(messages(), IsEmpty());
}

TEST_F(CertificateFolderTest, AnotherNamesThatIsForIt) {
    certbot("a", issue({.names = {"b.example.org"}, .until = at(2080, 1, 1)}));
    certbot("b", issue({.names = {"*.example.org"}, .until = at(2081, 1, 1)}));
    acme("c", issue({.names = {"b.example.org"}, .until = at(2079, 1, 1)}), "_ecc");
    EXPECT_THAT(found("b.example.org"), ElementsAre("b/fullchain.pem", "b/privkey.pem"));
    EXPECT_THAT(looked_at_,
                IsSupersetOf({"a/fullchain.pem", "b/fullchain.pem", "c_ecc/fullchain.cer"}));
    fs::remove_all(live_ / "b");
    EXPECT_THAT(found("b.example.org"), ElementsAre("a/fullchain.pem", "a/privkey.pem"));
    fs::remove_all(live_ / "a");
    EXPECT_THAT(found("b.example.org"), ElementsAre("c_ecc/fullchain.cer", "c_ecc/c.key"));
    EXPECT_THAT(messages(), IsEmpty());
}

TEST_F(CertificateFolderTest, TellsWhatItLookedFor) {
    certbot("example.net", issue({.names = {"example.net"}}));
    EXPECT_THAT(found("example.org"), IsEmpty());
    EXPECT_THAT(messages(),
                ElementsAre("gate.toml:7:15: error: host.certificate: no certificate for "
                            "\"example.org\" in the folder \"live\": looked for the sub-folders "
                            "\"example.org\", \"example.org_ecc\", and for any other whose "
                            "fullchain.pem or fullchain.cer is for this name"));
    EXPECT_THAT(found("*.example.org"), IsEmpty());
    EXPECT_THAT(messages(),
                ElementsAre("gate.toml:7:15: error: host.certificate: no certificate for "
                            "\"*.example.org\" in the folder \"live\": looked for the sub-folders "
                            "\"*.example.org\", \"*.example.org_ecc\", \"example.org\", "
                            "\"example.org_ecc\", and for any other whose fullchain.pem or "
                            "fullchain.cer is for this name"));
}

TEST_F(CertificateFolderTest, HasNoneForEveryName) {
    certbot("example.net", issue({.names = {"example.net"}}));
    EXPECT_THAT(found("*"), IsEmpty());
    EXPECT_THAT(messages(),
                ElementsAre("gate.toml:7:15: error: host.certificate: \"live\" is a folder, which "
                            "has no certificate for every name: name a file, and its key"));
}

TEST_F(CertificateFolderTest, TellsOfAFolderThatIsGone) {
    EXPECT_THAT(found("example.org"), IsEmpty());
    EXPECT_THAT(messages(), ElementsAre("gate.toml:7:15: error: host.certificate: cannot read the "
                                        "folder \"live\": No such file or directory"));
}

}  // namespace
}  // namespace stanzagate::certs
