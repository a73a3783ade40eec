#include "certs/certificate_check.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/certs/test_certificates.hpp"

namespace stanzagate::certs {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::issue;
using testing::Issued;
using testing::Request;

// The system knows of no roots but those that a test puts there.
class CertificateCheckTest : public ::testing::Test {
protected:
    CertificateCheckTest() {
        setenv("SSL_CERT_DIR", folder_.path().c_str(), 1);
        setenv("SSL_CERT_FILE", system_.c_str(), 1);
    }
    ~CertificateCheckTest() override {
        unsetenv("SSL_CERT_DIR");
        unsetenv("SSL_CERT_FILE");
    }

    // What is said of a file with these, in this order.
    std::vector<std::string> warnings(std::initializer_list<const Issued*> issued) {
        std::string pem;
        for (const Issued* const one : issued) pem += one->pem();
        config::Diagnostics diagnostics;
        const auto file = folder_.write("c.pem", pem);
        EXPECT_TRUE(Identity::load(
            {file, folder_.write("c.key", (*issued.begin())->key_pem()), {"gate.toml", 12, 3}, {}},
            diagnostics, at(2030, 1, 1)));
        std::vector<std::string> texts;
        for (const config::Diagnostic& diagnostic : diagnostics.sorted()) {
            std::string text = diagnostic.to_string();
            text.replace(text.find(file.string()), file.string().size(), "c.pem");
            texts.push_back(std::move(text));
        }
        return texts;
    }
    static std::string warning(const std::string& text) {
        return "gate.toml:12:3: warning: host.certificate: " + text;
    }

    TemporaryFolder folder_;
    std::filesystem::path system_ = folder_.path() / "system.pem";
    Issued root_ = issue({.authority = true, .subject = "root"});
    Issued middle_ = issue({.authority = true, .subject = "middle"}, &root_);
    Issued leaf_ = issue({.names = {"example.org"}, .subject = "leaf"}, &middle_);
    const std::string no_issuer_ = warning(
        "\"c.pem\" has no certificate of \"CN=middle\", which has issued its first one: "
        "clients that do not have it refuse the connection; name the file with the whole "
        "chain (certbot: fullchain.pem), or append the issuer's certificate");
};

TEST_F(CertificateCheckTest, AWholeChainIsRight) {
    EXPECT_THAT(warnings({&leaf_, &middle_}), IsEmpty());
    EXPECT_THAT(warnings({&leaf_, &middle_, &root_}), IsEmpty());
    EXPECT_THAT(warnings({&leaf_, &root_, &middle_}), IsEmpty());  // clients sort it
    EXPECT_THAT(warnings({&root_}), IsEmpty());                    // whoever trusts it has it
}

TEST_F(CertificateCheckTest, TellsOfAMissingIssuer) {
    EXPECT_THAT(warnings({&leaf_}), ElementsAre(no_issuer_));
    EXPECT_THAT(warnings({&leaf_, &root_}), ElementsAre(no_issuer_));
    const Issued namesake = issue({.authority = true, .subject = "middle"}, &root_);
    EXPECT_THAT(warnings({&leaf_, &namesake}), ElementsAre(no_issuer_));
}

TEST_F(CertificateCheckTest, ARootOfTheSystemNeedNotBeShown) {
    const Issued direct = issue({.names = {"example.org"}, .subject = "direct"}, &root_);
    EXPECT_EQ(warnings({&direct}).size(), 1U);
    folder_.write("system.pem", root_.pem() + middle_.pem());
    EXPECT_THAT(warnings({&direct}), IsEmpty());
    EXPECT_THAT(warnings({&leaf_}), ElementsAre(no_issuer_));
}

TEST_F(CertificateCheckTest, TellsOfACertificateThatIsNotForServers) {
    const auto of = [&](const char* extended_usage, const char* usage) {
        const Issued issued =
            issue({.subject = "leaf", .extended_usage = extended_usage, .usage = usage}, &middle_);
        return warnings({&issued, &middle_});
    };
    const auto refused =
        ElementsAre(warning("\"c.pem\" is not for TLS servers, and clients refuse it: have one "
                            "issued with serverAuth in "
                            "its extended key usage and digitalSignature in its key usage"));
    EXPECT_THAT(of("", ""), IsEmpty());
    EXPECT_THAT(of("serverAuth,clientAuth", "digitalSignature,keyEncipherment"), IsEmpty());
    EXPECT_THAT(of("clientAuth", ""), refused);
    EXPECT_THAT(of("", "keyEncipherment"), refused);
    EXPECT_THAT(of("serverAuth", "keyCertSign"), refused);
}

TEST_F(CertificateCheckTest, TellsOfAMissingResponse) {
    const Issued demanding = issue({.subject = "leaf", .must_staple = true}, &middle_);
    EXPECT_THAT(
        warnings({&demanding, &middle_}),
        ElementsAre(warning(
            "\"c.pem\" demands that an OCSP response comes with it (\"must-staple\"), and "
            "there is none that can be handed out: some clients refuse it; keep a fresh one "
            "beside it, or have one issued without that demand")));
}

TEST_F(CertificateCheckTest, TellsOfExpiredIssuers) {
    const Issued old = issue({.until = at(2029, 12, 30), .authority = true, .subject = "old"});
    const Issued leaf = issue({.subject = "leaf"}, &old);
    EXPECT_THAT(warnings({&leaf_, &middle_, &old}),
                ElementsAre(warning(
                    "certificate 3 in \"c.pem\", an issuer's, expired 2 days ago, on 2029-12-30: "
                    "clients may refuse what it vouches for; put the issuer's current one in its "
                    "place, or take it out where that is there, too")));
    EXPECT_EQ(warnings({&leaf, &old}).size(), 1U);
}

}  // namespace
}  // namespace stanzagate::certs
