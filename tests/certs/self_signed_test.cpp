#include "certs/self_signed.hpp"

#include <gtest/gtest.h>

#include <array>

#include "tests/certs/test_certificates.hpp"

namespace stanzagate::certs {
namespace {

using testing::at;

TEST(SelfSigned, CoversItsNames) {
    const std::array<std::string, 3> names{"example.org", "*.example.net", "192.0.2.1"};
    const Identity identity = make_self_signed(names, at(2030, 1, 1));
    EXPECT_TRUE(identity.covers("example.org"));
    EXPECT_TRUE(identity.covers("chat.example.net"));
    EXPECT_TRUE(identity.covers("192.0.2.1"));
    EXPECT_FALSE(identity.covers("localhost"));
}

TEST(SelfSigned, AnyNameBecomesLocalhost) {
    const std::array<std::string, 1> names{"*"};
    EXPECT_TRUE(make_self_signed(names, at(2030, 1, 1)).covers("localhost"));
}

TEST(SelfSigned, TakesNamesLongerThanACommonName) {
    const std::array<std::string, 1> names{std::string(60, 'a') + '.' + std::string(60, 'b')};
    EXPECT_TRUE(make_self_signed(names, at(2030, 1, 1)).covers(names.front()));
}

TEST(SelfSigned, IsValidFor30Days) {
    const std::array<std::string, 1> names{"example.org"};
    const Identity identity = make_self_signed(names, at(2030, 1, 1));
    EXPECT_EQ(identity.expires(), at(2030, 1, 31));
    std::time_t before = at(2030, 1, 1).time_since_epoch().count();
    EXPECT_LT(X509_cmp_time(X509_get0_notBefore(identity.certificate()), &before), 0);
}

TEST(SelfSigned, IsSignedWithItsOwnKeyAndDiffersEachTime) {
    const std::array<std::string, 1> names{"example.org"};
    const Identity one = make_self_signed(names, at(2030, 1, 1));
    const Identity other = make_self_signed(names, at(2030, 1, 1));
    EXPECT_EQ(X509_verify(one.certificate(), one.key()), 1);
    EXPECT_EQ(X509_check_private_key(one.certificate(), one.key()), 1);
    EXPECT_NE(X509_cmp(one.certificate(), other.certificate()), 0);
    EXPECT_NE(EVP_PKEY_eq(one.key(), other.key()), 1);
    EXPECT_EQ(one.chain(), nullptr);
}

}  // namespace
}  // namespace stanzagate::certs
