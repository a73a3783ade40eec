#include "certs/identity.hpp"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "tests/certs/test_certificates.hpp"

namespace stanzagate::certs {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::issue;
using testing::Issued;
using testing::KeyKind;
using ::testing::StartsWith;

class IdentityTest : public ::testing::Test {
protected:
    std::optional<Identity> load(TimePoint now = at(2030, 1, 1)) {
        return Identity::load({chain_, key_, {"gate.toml", 12, 3}, {"gate.toml", 13, 3}},
                              diagnostics_, now);
    }
    void write(const Issued& issued) { write(issued.pem(), issued.key_pem()); }
    void write(std::string_view chain, std::string_view key) {
        folder_.write("chain.pem", chain);
        folder_.write("key.pem", key);
    }
    // As an operator sees them, with the folder's name left out.
    std::vector<std::string> messages() const {
        std::vector<std::string> texts;
        for (const config::Diagnostic& diagnostic : diagnostics_.sorted()) {
            std::string text = diagnostic.to_string();
            const std::string folder = folder_.path().string() + "/";
            for (auto place = text.find(folder); place != std::string::npos;
                 place = text.find(folder))
                text.erase(place, folder.size());
            texts.push_back(std::move(text));
        }
        return texts;
    }

    TemporaryFolder folder_;
    std::filesystem::path chain_ = folder_.path() / "chain.pem";
    std::filesystem::path key_ = folder_.path() / "key.pem";
    config::Diagnostics diagnostics_;
};

std::string encrypted(const EVP_PKEY* key) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(out.get(), key, EVP_aes_256_cbc(), "secret", 6, nullptr, nullptr);
    const char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string encrypted_in_the_old_way(const EVP_PKEY* key) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    const auto* const password = reinterpret_cast<const unsigned char*>("secret");
    PEM_write_bio_PrivateKey_traditional(out.get(), key, EVP_aes_256_cbc(), password, 6, nullptr,
                                         nullptr);
    const char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

TEST_F(IdentityTest, LoadsChainAndKey) {
    const Issued root = issue({.authority = true, .subject = "root"});
    const Issued middle = issue({.authority = true, .subject = "middle"}, &root);
    const Issued leaf = issue({.names = {"example.org"}, .until = at(2031, 6, 30)}, &middle);
    write(leaf.pem() + middle.pem() + root.pem(), leaf.key_pem());

    const auto identity = load();
    ASSERT_TRUE(identity);
    EXPECT_THAT(messages(), IsEmpty());
    EXPECT_EQ(X509_cmp(identity->certificate(), leaf.certificate.get()), 0);
    ASSERT_EQ(sk_X509_num(identity->chain()), 2);
    EXPECT_EQ(X509_cmp(sk_X509_value(identity->chain(), 0), middle.certificate.get()), 0);
    EXPECT_EQ(X509_cmp(sk_X509_value(identity->chain(), 1), root.certificate.get()), 0);
    EXPECT_EQ(EVP_PKEY_eq(identity->key(), leaf.key.get()), 1);
    EXPECT_EQ(identity->expires(), at(2031, 6, 30));
}

TEST_F(IdentityTest, LoadsBothFromOneFile) {
    const Issued issued = issue({.names = {"example.org"}});
    write("a comment\n" + issued.pem() + issued.key_pem(), "");
    key_ = chain_;
    EXPECT_TRUE(load());
    EXPECT_THAT(messages(), IsEmpty());

    write(issued.key_pem() + issued.pem(), "");
    EXPECT_TRUE(load());
    EXPECT_THAT(messages(), IsEmpty());
}

TEST_F(IdentityTest, LoadsRsa) {
    write(issue({.names = {"example.org"}, .key = KeyKind::rsa2048}));
    EXPECT_TRUE(load());
    EXPECT_THAT(messages(), IsEmpty());
}

TEST_F(IdentityTest, TellsOfBothMissingFiles) {
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(),
                ElementsAre("gate.toml:12:3: error: host.certificate: cannot read \"chain.pem\": "
                            "No such file or directory",
                            "gate.toml:13:3: error: host.key: cannot read \"key.pem\": "
                            "No such file or directory"));
}

TEST_F(IdentityTest, TellsOfAFolder) {
    write(issue({}));
    chain_ = folder_.path() / ".";
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(), ElementsAre("gate.toml:12:3: error: host.certificate: cannot read "
                                        "\".\": it is a directory"));
}

// Which would be waited for until somebody writes to it.
TEST_F(IdentityTest, TellsOfPipes) {
    write(issue({}));
    for (const auto* const file : {&chain_, &key_}) {
        std::filesystem::remove(*file);
        ASSERT_EQ(mkfifo(file->c_str(), 0600), 0);
    }
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(),
                ElementsAre("gate.toml:12:3: error: host.certificate: cannot read \"chain.pem\": "
                            "it is not a regular file",
                            "gate.toml:13:3: error: host.key: cannot read \"key.pem\": "
                            "it is not a regular file"));
}

TEST_F(IdentityTest, TellsOfFilesWithoutACertificateOrAKey) {
    const Issued issued = issue({});
    write(issued.key_pem(), issued.pem());
    EXPECT_FALSE(load());
    EXPECT_THAT(
        messages(),
        ElementsAre("gate.toml:12:3: error: host.certificate: no certificate in \"chain.pem\"",
                    "gate.toml:13:3: error: host.key: no private key in \"key.pem\""));
}

TEST_F(IdentityTest, TellsOfEmptyFiles) {
    write("", "");
    EXPECT_FALSE(load());
    EXPECT_THAT(
        messages(),
        ElementsAre("gate.toml:12:3: error: host.certificate: no certificate in \"chain.pem\"",
                    "gate.toml:13:3: error: host.key: no private key in \"key.pem\""));
}

TEST_F(IdentityTest, TellsOfDer) {
    const Issued issued = issue({});
    const BioPtr out(BIO_new(BIO_s_mem()));
    i2d_X509_bio(out.get(), issued.certificate.get());
    const char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    write({data, static_cast<std::size_t>(size)}, issued.key_pem());
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(),
                ElementsAre("gate.toml:12:3: error: host.certificate: no certificate in "
                            "\"chain.pem\" (it looks like DER; PEM is wanted)"));
}

TEST_F(IdentityTest, TellsWhichCertificateIsBroken) {
    const Issued issued = issue({});
    std::string broken = issued.pem();
    broken.resize(broken.size() / 2);
    write(issued.pem() + broken, issued.key_pem());
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(),
                ElementsAre(StartsWith("gate.toml:12:3: error: host.certificate: certificate 2 in "
                                       "\"chain.pem\" is broken: ")));
}

TEST_F(IdentityTest, TellsOfABrokenKey) {
    const Issued issued = issue({});
    std::string broken = issued.key_pem();
    broken.replace(40, 4, "AAAA");
    write(issued.pem(), broken);
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(),
                ElementsAre(StartsWith("gate.toml:13:3: error: host.key: the private key in "
                                       "\"key.pem\" is broken: ")));
}

TEST_F(IdentityTest, NeverAsksForAPassword) {
    const Issued issued = issue({});
    constexpr auto message =
        "gate.toml:13:3: error: host.key: \"key.pem\" is encrypted, and nobody is asked for a "
        "password: store it decrypted (openssl pkey), readable by the service only";
    write(issued.pem(), encrypted(issued.key.get()));
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(), ElementsAre(message));

    write(issued.pem(), encrypted_in_the_old_way(issued.key.get()));
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(), ElementsAre(message, message));
}

TEST_F(IdentityTest, TellsOfAnothersKey) {
    write(issue({}).pem(), issue({}).key_pem());
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(),
                ElementsAre("gate.toml:13:3: error: host.key: \"key.pem\" is not the key "
                            "of the first certificate in \"chain.pem\""));
}

TEST_F(IdentityTest, TellsOfAChainInTheWrongOrder) {
    const Issued root = issue({.authority = true, .subject = "root"});
    const Issued leaf = issue({}, &root);
    write(root.pem() + leaf.pem(), leaf.key_pem());
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(),
                ElementsAre("gate.toml:13:3: error: host.key: \"key.pem\" is not the key "
                            "of the first certificate in \"chain.pem\", but that of "
                            "number 2, which must come first"));
}

TEST_F(IdentityTest, RefusesAKeyThatTlsWouldRefuse) {
    write(issue({.key = KeyKind::rsa1024}));
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(), ElementsAre("gate.toml:12:3: error: host.certificate: \"chain.pem\" "
                                        "cannot be used for TLS: ee key too small"));
}

struct Kind {
    const char* name;
    KeyKind key;
    const char* refused_as;  // nullptr: it is not
};

class IdentityKinds : public IdentityTest, public ::testing::WithParamInterface<Kind> {};

TEST_P(IdentityKinds, AreThoseThatClientsKnow) {
    write(issue({.names = {"example.org"}, .key = GetParam().key}));
    const char* const refused_as = GetParam().refused_as;
    EXPECT_EQ(load().has_value(), refused_as == nullptr);
    if (refused_as == nullptr) {
        EXPECT_THAT(messages(), IsEmpty());
    } else {
        EXPECT_THAT(
            messages(),
            ElementsAre(
                "gate.toml:12:3: error: host.certificate: \"chain.pem\" cannot be used: its "
                "key is " +
                std::string(refused_as) +
                ", which TLS clients do not know; make a new one, ECDSA on P-256 or RSA"));
    }
}

INSTANTIATE_TEST_SUITE_P(
    , IdentityKinds,
    ::testing::Values(Kind{"p256", KeyKind::p256, nullptr}, Kind{"p384", KeyKind::p384, nullptr},
                      Kind{"p521", KeyKind::p521, nullptr},
                      Kind{"ed25519", KeyKind::ed25519, nullptr},
                      Kind{"ed448", KeyKind::ed448, nullptr},
                      Kind{"rsa_pss", KeyKind::rsa_pss, nullptr},
                      Kind{"secp256k1", KeyKind::secp256k1, "EC on secp256k1"},
                      Kind{"brainpool", KeyKind::brainpool, "EC on brainpoolP256r1"},
                      Kind{"dsa", KeyKind::dsa, "DSA"}),
    [](const auto& test) { return test.param.name; });

struct Dates {
    const char* name;
    TimePoint now;
    std::vector<std::string> warnings;
};

class IdentityDates : public IdentityTest, public ::testing::WithParamInterface<Dates> {};

TEST_P(IdentityDates, AreWarnedOf) {
    write(issue({.from = at(2029, 1, 1), .until = at(2030, 3, 1)}));
    EXPECT_TRUE(load(GetParam().now));  // the gate must be able to start
    EXPECT_EQ(messages(), GetParam().warnings);
}

const std::string prefix = "gate.toml:12:3: warning: host.certificate: \"chain.pem\" ";

INSTANTIATE_TEST_SUITE_P(
    , IdentityDates,
    ::testing::Values(
        Dates{"not_yet", at(2028, 12, 31), {prefix + "is not valid before 2029-01-01"}},
        Dates{"valid", at(2030, 1, 1), {}},
        Dates{"over_14_days", at(2030, 2, 15) - std::chrono::seconds(1), {}},
        Dates{"at_14_days", at(2030, 2, 15), {prefix + "expires in 14 days, on 2030-03-01"}},
        Dates{"at_1_day", at(2030, 2, 28), {prefix + "expires in 1 day, on 2030-03-01"}},
        Dates{"last_second",
              at(2030, 3, 1) - std::chrono::seconds(1),
              {prefix + "expires in less than a day, on 2030-03-01"}},
        Dates{"expired", at(2030, 3, 1), {prefix + "expired less than a day ago, on 2030-03-01"}},
        Dates{
            "expired_a_while_ago", at(2030, 3, 4), {prefix + "expired 3 days ago, on 2030-03-01"}}),
    [](const auto& test) { return test.param.name; });

TEST_F(IdentityTest, TakesACertificateWithoutAnEnd) {
    write(issue({.until = at(9999, 12, 31)}));
    const auto identity = load();
    ASSERT_TRUE(identity);
    EXPECT_THAT(messages(), IsEmpty());
    EXPECT_GT(identity->expires(), at(2200, 1, 1));
}

TEST_F(IdentityTest, CoversTheNamesOfItsCertificate) {
    write(issue({.names = {"example.org", "*.chat.example.org", "192.0.2.1", "2001:db8::1"},
                 .subject = "subject.example"}));
    const auto identity = load();
    ASSERT_TRUE(identity);
    EXPECT_TRUE(identity->covers("example.org"));
    EXPECT_TRUE(identity->covers("EXAMPLE.org"));
    EXPECT_TRUE(identity->covers("muc.chat.example.org"));
    EXPECT_TRUE(identity->covers("192.0.2.1"));
    EXPECT_TRUE(identity->covers("2001:DB8:0::1"));
    EXPECT_FALSE(identity->covers("chat.example.org"));
    EXPECT_FALSE(identity->covers("a.b.chat.example.org"));
    EXPECT_FALSE(identity->covers("192.0.2.2"));
    EXPECT_FALSE(identity->covers("subject.example"));  // clients do not look at the subject
    EXPECT_FALSE(identity->covers(""));
    EXPECT_FALSE(identity->covers(std::string_view("example.org\0", 12)));
}

}  // namespace
}  // namespace stanzagate::certs
