#include "certs/ocsp.hpp"

#include <gmock/gmock.h>
#include <openssl/ocsp.h>

#include <memory>
#include <ostream>
#include <stdexcept>

#include "certs/identity.hpp"
#include "certs/server_tls.hpp"
#include "tests/certs/handshake.hpp"
#include "tests/certs/test_certificates.hpp"

namespace stanzagate::certs {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::issue;
using testing::Issued;

using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, Free<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, Free<OCSP_BASICRESP_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, Free<ASN1_TIME_free>>;

TimePtr asn1(std::chrono::sys_seconds time) {
    return TimePtr(ASN1_TIME_set(nullptr, time.time_since_epoch().count()));
}

struct Answer {
    int status = V_OCSP_CERTSTATUS_GOOD;
    std::chrono::sys_seconds from = at(2029, 12, 30);
    std::optional<std::chrono::sys_seconds> until = at(2030, 1, 6);
    const EVP_MD* digest = EVP_sha1();
    int whole = OCSP_RESPONSE_STATUS_SUCCESSFUL;
    const Issued* signer = nullptr;  // nullptr: the authority itself
};

std::string der_of(OCSP_RESPONSE* response) {
    unsigned char* bytes = nullptr;
    const int size = i2d_OCSP_RESPONSE(response, &bytes);
    if (size < 0) throw std::runtime_error("test response: " + drain_openssl_errors());
    std::string der(bytes, bytes + size);
    OPENSSL_free(bytes);
    return der;
}

// What the authority's responder says of a certificate.
std::string respond(const Issued& authority, const Issued& issued, const Answer& answer = {}) {
    if (answer.whole != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return der_of(ResponsePtr(OCSP_response_create(answer.whole, nullptr)).get());
    const BasicPtr basic(OCSP_BASICRESP_new());
    OCSP_CERTID* const id =
        OCSP_cert_to_id(answer.digest, issued.certificate.get(), authority.certificate.get());
    const TimePtr from = asn1(answer.from);
    const TimePtr until = answer.until ? asn1(*answer.until) : nullptr;
    const TimePtr revoked =
        answer.status == V_OCSP_CERTSTATUS_REVOKED ? asn1(answer.from) : nullptr;
    OCSP_basic_add1_status(basic.get(), id, answer.status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                           revoked.get(), from.get(), until.get());
    OCSP_CERTID_free(id);
    const Issued& signer = answer.signer != nullptr ? *answer.signer : authority;
    if (OCSP_basic_sign(basic.get(), signer.certificate.get(), signer.key.get(), EVP_sha256(),
                        nullptr, 0) != 1)
        throw std::runtime_error("test response: " + drain_openssl_errors());
    return der_of(
        ResponsePtr(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get())).get());
}

class OcspTest : public ::testing::Test {
protected:
    // What is made of it: the response, or why there is none.
    std::string read(std::string_view der, X509* issuer) const {
        const auto result =
            read_ocsp_response(der, issued_.certificate.get(), issuer, at(2030, 1, 1));
        if (const auto* const why = std::get_if<std::string>(&result)) return *why;
        const auto& response = std::get<OcspResponse>(result);
        EXPECT_EQ(response.next_update, at(2030, 1, 6));
        return response.der == der ? "good" : "changed";
    }
    std::string read(std::string_view der) const { return read(der, authority_.certificate.get()); }

    Issued authority_ = issue({.authority = true, .subject = "authority"});
    Issued issued_ = issue({.names = {"example.org"}}, &authority_);
};

TEST_F(OcspTest, GoodOnes) {
    EXPECT_EQ(read(respond(authority_, issued_)), "good");
    EXPECT_EQ(read(respond(authority_, issued_, {.digest = EVP_sha256()})), "good");
    EXPECT_EQ(read(respond(authority_, issued_), nullptr), "good");
}

TEST_F(OcspTest, OfAnotherCertificate) {
    const Issued other = issue({.names = {"example.org"}}, &authority_);
    EXPECT_EQ(read(respond(authority_, other)), "it is for another certificate");
    // Of the same number, by another issuer of the same name.
    const Issued another = issue({.authority = true, .subject = "authority"});
    const std::string der = respond(another, issued_);
    EXPECT_EQ(read(der), "it is for another certificate");
    EXPECT_EQ(read(der, nullptr), "good");
}

// Clients of GnuTLS refuse the certificate then.
TEST_F(OcspTest, NothingFollowsIt) {
    EXPECT_EQ(read(respond(authority_, issued_) + "\r\n"),
              "2 bytes follow the response, which clients refuse");
}

TEST_F(OcspTest, OfAResponderThatTheIssuerHasAppointed) {
    const testing::Request request{.subject = "responder", .extended_usage = "OCSPSigning"};
    const Issued appointed = issue(request, &authority_);
    EXPECT_EQ(read(respond(authority_, issued_, {.signer = &appointed})), "good");
}

TEST_F(OcspTest, OfASignerWithoutARight) {
    constexpr auto refused =
        "it is not signed by the certificate's issuer, nor by a responder of the issuer";
    const Issued another = issue({.authority = true, .subject = "authority"});
    const Issued host = issue({.subject = "host", .extended_usage = "serverAuth"}, &authority_);
    const Issued any_use = issue({.subject = "any use"}, &authority_);
    const Issued strange = issue({.subject = "strange", .extended_usage = "OCSPSigning"}, &another);
    for (const Issued* const signer : {&another, &host, &any_use, &strange})
        EXPECT_EQ(read(respond(authority_, issued_, {.signer = signer})), refused);
    std::string changed = respond(authority_, issued_, {.until = at(2030, 1, 5)});
    changed.replace(changed.find("20300105"), 8, "20300106");
    EXPECT_EQ(read(changed), refused);
    EXPECT_EQ(read(changed, nullptr), "good");
}

struct Unusable {
    const char* name;
    Answer answer;
    const char* why;
};

// GoogleTest would print its bytes, padding among them.
void PrintTo(const Unusable& test, std::ostream* out) {
    *out << test.name;
}

class OcspUnusable : public OcspTest, public ::testing::WithParamInterface<Unusable> {};

TEST_P(OcspUnusable, SaysWhy) {
    EXPECT_EQ(read(respond(authority_, issued_, GetParam().answer)), GetParam().why);
}

INSTANTIATE_TEST_SUITE_P(
    , OcspUnusable,
    ::testing::Values(
        Unusable{"revoked",
                 {.status = V_OCSP_CERTSTATUS_REVOKED},
                 "it says that the certificate is revoked (keyCompromise)"},
        Unusable{"unknown",
                 {.status = V_OCSP_CERTSTATUS_UNKNOWN},
                 "it says that the responder does not know the certificate"},
        Unusable{"endless", {.until = std::nullopt}, "it does not say until when it is good"},
        Unusable{"past",
                 {.until = at(2030, 1, 1)},
                 "it was good until less than a day ago, on 2030-01-01"},
        Unusable{
            "long_past", {.until = at(2029, 12, 31)}, "it was good until 1 day ago, on 2029-12-31"},
        Unusable{"future", {.from = at(2030, 1, 2)}, "it is not good before 2030-01-02"},
        Unusable{"try_later",
                 {.whole = OCSP_RESPONSE_STATUS_TRYLATER},
                 "the responder did not answer but said trylater"}),
    [](const auto& test) { return test.param.name; });

TEST_F(OcspTest, Nonsense) {
    for (const std::string& der : {std::string(), std::string("0"), issued_.pem()})
        EXPECT_EQ(read(der), "it is no OCSP response in DER");
    const std::string good = respond(authority_, issued_);
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_NE(read(std::string_view(good).substr(0, size)), "good") << size;
}

// From the file to the client.
class OcspStapling : public OcspTest {
protected:
    OcspStapling() {
        config::Host host;
        host.name = testing::pattern("example.org");
        host.certificates = {{folder_.write("c.pem", issued_.pem() + authority_.pem()),
                              folder_.write("c.key", issued_.key_pem()),
                              {"gate.toml", 12, 3},
                              {"gate.toml", 13, 3}}};
        config_.hosts.push_back(std::move(host));
    }
    std::shared_ptr<const CertificateStore> load(TimePoint now = at(2030, 1, 1)) {
        diagnostics_ = {};
        return std::make_shared<const CertificateStore>(
            CertificateStore::load(config_, diagnostics_, now).value());
    }
    std::vector<std::string> messages() const {
        std::vector<std::string> texts;
        for (const config::Diagnostic& diagnostic : diagnostics_.sorted())
            texts.push_back(diagnostic.to_string());
        return texts;
    }
    // What a client that asks is told; "" where it is not.
    static std::string stapled(const std::shared_ptr<const CertificateStore>& store, int version,
                               bool asks = true) {
        ServerTls tls(store, TicketKeys::generate());
        SslPtr client = testing::make_client({.server_name = "example.org", .version = version});
        if (asks) SSL_set_tlsext_status_type(client.get(), TLSEXT_STATUSTYPE_ocsp);
        const testing::Conversation met(std::move(client), tls.accept(Door::direct));
        EXPECT_TRUE(met.connected()) << met.server_error();
        const unsigned char* response = nullptr;
        const long size =
            SSL_get_tlsext_status_ocsp_resp(met.client(), static_cast<void*>(&response));
        return size <= 0 ? std::string() : std::string(response, response + size);
    }

    TemporaryFolder folder_;
    config::Config config_;
    config::Diagnostics diagnostics_;
};

TEST_F(OcspStapling, WhereTheClientAsks) {
    const std::string der = respond(authority_, issued_);
    EXPECT_EQ(stapled(load(), TLS1_3_VERSION), "");
    folder_.write("c.pem.ocsp", der);
    const auto store = load();
    EXPECT_THAT(messages(), IsEmpty());
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        EXPECT_EQ(stapled(store, version), der);
        EXPECT_EQ(stapled(store, version, false), "");
    }
}

TEST_F(OcspStapling, NotOneThatIsPast) {
    folder_.write("c.pem.ocsp",
                  respond(authority_, issued_, {.from = at(2020, 1, 1), .until = at(2020, 2, 1)}));
    const auto store = load(at(2020, 1, 15));  // it was good when it was loaded
    EXPECT_THAT(messages(), IsEmpty());
    EXPECT_EQ(stapled(store, TLS1_3_VERSION), "");
}

TEST_F(OcspStapling, OneThatIsNoGoodIsWarnedOf) {
    const auto file = folder_.write("c.pem.ocsp", "nonsense");
    EXPECT_EQ(stapled(load(), TLS1_3_VERSION), "");
    EXPECT_THAT(messages(),
                ElementsAre("gate.toml:12:3: warning: host.certificate: the OCSP "
                            "response \"" +
                            file.string() + "\" is not stapled: it is no OCSP response in DER"));
}

TEST_F(OcspStapling, WhatACertificateDemands) {
    issued_ = issue({.names = {"example.org"}, .must_staple = true}, &authority_);
    folder_.write("c.pem", issued_.pem() + authority_.pem());
    folder_.write("c.key", issued_.key_pem());
    load();
    EXPECT_THAT(messages(), ElementsAre(::testing::HasSubstr("must-staple")));
    folder_.write("c.pem.ocsp", respond(authority_, issued_));
    load();
    EXPECT_THAT(messages(), IsEmpty());
}

// Each kind of certificate has its own.
TEST_F(OcspStapling, OfTheCertificateThatIsShown) {
    const Issued rsa =
        issue({.names = {"example.org"}, .key = testing::KeyKind::rsa2048}, &authority_);
    const std::string der = respond(authority_, rsa);
    config_.hosts.front().certificates.push_back(
        {folder_.write("r.pem", rsa.pem()), folder_.write("r.key", rsa.key_pem()), {}, {}});
    folder_.write("r.pem.ocsp", der);
    EXPECT_EQ(stapled(load(), TLS1_3_VERSION), "");  // ECDSA's
    config_.hosts.front().certificates.erase(config_.hosts.front().certificates.begin());
    EXPECT_EQ(stapled(load(), TLS1_3_VERSION), der);
}

TEST_F(OcspStapling, AReloadTakesANewOne) {
    folder_.write("c.pem.ocsp", respond(authority_, issued_));
    const auto before = load();
    const auto again = before->reload(config_, diagnostics_, at(2030, 1, 1));
    EXPECT_EQ(again.first(), before->first());
    const std::string der = respond(authority_, issued_, {.until = at(2030, 1, 8)});
    folder_.write("c.pem.ocsp", der);
    const auto after = std::make_shared<const CertificateStore>(
        before->reload(config_, diagnostics_, at(2030, 1, 1)));
    EXPECT_NE(after->first(), before->first());
    EXPECT_EQ(stapled(after, TLS1_3_VERSION), der);
}

// In a folder with a sub-folder for each name, ocsp.der will do.
TEST_F(OcspStapling, InAFolder) {
    const std::string der = respond(authority_, issued_);
    std::filesystem::create_directories(folder_.path() / "live/example.org");
    folder_.write("live/example.org/fullchain.pem", issued_.pem() + authority_.pem());
    folder_.write("live/example.org/privkey.pem", issued_.key_pem());
    folder_.write("live/example.org/ocsp.der", der);
    config_.hosts.front().certificates = {{folder_.path() / "live", {}, {}, {}}};
    EXPECT_EQ(stapled(load(), TLS1_3_VERSION), der);
    const std::string other = respond(authority_, issued_, {.until = at(2030, 1, 9)});
    folder_.write("live/example.org/fullchain.pem.ocsp", other);
    EXPECT_EQ(stapled(load(), TLS1_3_VERSION), other);
}

}  // namespace
}  // namespace stanzagate::certs
