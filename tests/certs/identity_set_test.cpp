#include "certs/identity_set.hpp"

#include <gmock/gmock.h>

#include "tests/certs/test_certificates.hpp"

namespace stanzagate::certs {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::issue;
using testing::Issued;
using testing::KeyKind;

class IdentitySetTest : public ::testing::Test {
protected:
    // As the first, second, ... of the configuration's lists.
    void write(const Issued& issued) {
        const int number = static_cast<int>(files_.size()) + 1;
        const std::string name = std::to_string(number);
        files_.push_back({folder_.write(name + ".pem", issued.pem()),
                          folder_.write(name + ".key", issued.key_pem()),
                          {"gate.toml", 12, number},
                          {"gate.toml", 13, number}});
    }
    std::optional<IdentitySet> load() {
        return IdentitySet::load(files_, diagnostics_, at(2030, 1, 1));
    }
    std::vector<std::string> messages() const {
        std::vector<std::string> texts;
        for (const config::Diagnostic& diagnostic : diagnostics_.sorted())
            texts.push_back(diagnostic.to_string());
        return texts;
    }
    std::string path(const char* name) const { return (folder_.path() / name).string(); }

    TemporaryFolder folder_;
    std::vector<config::HostCertificate> files_;
    config::Diagnostics diagnostics_;
};

TEST_F(IdentitySetTest, HasOneOfEachKind) {
    write(issue({.names = {"example.org", "a.example.org"}, .until = at(2040, 1, 1)}));
    write(issue({.names = {"example.org", "b.example.org"},
                 .key = KeyKind::rsa2048,
                 .until = at(2035, 1, 1)}));
    const auto set = load();
    ASSERT_TRUE(set);
    EXPECT_THAT(messages(), IsEmpty());
    ASSERT_EQ(set->all().size(), 2U);
    EXPECT_EQ(set->all()[0].kind(), EVP_PKEY_EC);
    EXPECT_EQ(set->all()[1].kind(), EVP_PKEY_RSA);
    EXPECT_EQ(set->expires(), at(2035, 1, 1));
    EXPECT_TRUE(set->covers("example.org"));
    EXPECT_FALSE(set->covers("a.example.org"));
    EXPECT_FALSE(set->covers("b.example.org"));
    EXPECT_EQ(set->name(), path("1.pem") + ", " + path("2.pem"));
}

TEST_F(IdentitySetTest, RefusesASecondOfTheSameKind) {
    write(issue({}));
    write(issue({.key = KeyKind::rsa2048}));
    write(issue({}));
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(),
                ElementsAre("gate.toml:12:3: error: host.certificate: \"" + path("3.pem") +
                            "\" has an ECDSA key, as one before it in the list: one for each kind "
                            "is shown"));
}

TEST_F(IdentitySetTest, TellsOfAllThatIsWrong) {
    write(issue({}));
    write(issue({.key = KeyKind::rsa2048}));
    files_[0].certificate = "/nonexistent/1.pem";
    files_[1].key = "/nonexistent/2.key";
    EXPECT_FALSE(load());
    EXPECT_THAT(messages(), ElementsAre("gate.toml:12:1: error: host.certificate: cannot read "
                                        "\"/nonexistent/1.pem\": No such file or directory",
                                        "gate.toml:13:2: error: host.key: cannot read "
                                        "\"/nonexistent/2.key\": No such file or directory"));
}

TEST_F(IdentitySetTest, IsTheSameWhereClientsSeeNoDifference) {
    const Issued authority = issue({.authority = true, .subject = "authority"});
    const Issued issued = issue({.names = {"example.org"}}, &authority);
    write(issued);
    const auto one = load();
    EXPECT_TRUE(one->same_as(*load()));
    folder_.write("1.pem", issued.pem() + authority.pem());
    const auto with_chain = load();
    EXPECT_FALSE(one->same_as(*with_chain));
    EXPECT_FALSE(with_chain->same_as(*one));
    EXPECT_TRUE(with_chain->same_as(*load()));
    folder_.write("1.pem", issued.pem() + issue({.authority = true}).pem());
    EXPECT_FALSE(with_chain->same_as(*load()));
    write(issue({.key = KeyKind::rsa2048}));
    EXPECT_FALSE(one->same_as(*load()));
}

}  // namespace
}  // namespace stanzagate::certs
