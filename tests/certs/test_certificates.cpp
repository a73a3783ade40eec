#include "tests/certs/test_certificates.hpp"

#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "certs/ticket_keys.hpp"
#include "config/address.hpp"

namespace stanzagate::certs::testing {
namespace {

using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;

void require(bool done) {
    if (!done) throw std::runtime_error("test certificate: " + drain_openssl_errors());
}

std::string text_in(BIO* bio) {
    const char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

// Made once: it takes long.
PKeyPtr rsa2048_key() {
    static const PKeyPtr key(EVP_RSA_gen(2048));
    EVP_PKEY_up_ref(key.get());
    return PKeyPtr(key.get());
}

PKeyPtr key_from(EVP_PKEY_CTX* context) {
    EVP_PKEY* key = nullptr;
    require(EVP_PKEY_generate(context, &key) == 1);
    return PKeyPtr(key);
}

PKeyPtr rsa_pss_key() {
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr));
    require(EVP_PKEY_keygen_init(context.get()) == 1);
    return key_from(context.get());
}

PKeyPtr dsa_key() {
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "DSA", nullptr));
    require(EVP_PKEY_paramgen_init(context.get()) == 1);
    require(EVP_PKEY_CTX_set_dsa_paramgen_bits(context.get(), 2048) == 1);
    const PKeyPtr parameters = key_from(context.get());
    const KeyContextPtr again(EVP_PKEY_CTX_new(parameters.get(), nullptr));
    require(EVP_PKEY_keygen_init(again.get()) == 1);
    return key_from(again.get());
}

// Ed25519 and Ed448 have their own.
const EVP_MD* digest_for(const EVP_PKEY* signer) {
    const int kind = EVP_PKEY_get_base_id(signer);
    return kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448 ? nullptr : EVP_sha256();
}

PKeyPtr make_key(KeyKind kind) {
    switch (kind) {
        case KeyKind::p256:
            return PKeyPtr(EVP_EC_gen("P-256"));
        case KeyKind::p384:
            return PKeyPtr(EVP_EC_gen("P-384"));
        case KeyKind::p521:
            return PKeyPtr(EVP_EC_gen("P-521"));
        case KeyKind::secp256k1:
            return PKeyPtr(EVP_EC_gen("secp256k1"));
        case KeyKind::brainpool:
            return PKeyPtr(EVP_EC_gen("brainpoolP256r1"));
        case KeyKind::ed25519:
            return PKeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
        case KeyKind::ed448:
            return PKeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"));
        case KeyKind::rsa_pss:
            return rsa_pss_key();
        case KeyKind::dsa:
            return dsa_key();
        case KeyKind::rsa2048:
            return rsa2048_key();
        case KeyKind::rsa1024:
            return PKeyPtr(EVP_RSA_gen(1024));
    }
    return nullptr;
}

void set_time(ASN1_TIME* time, std::chrono::sys_seconds to) {
    require(ASN1_TIME_set(time, to.time_since_epoch().count()) != nullptr);
}

void add_extension(X509* certificate, int nid, const std::string& value) {
    const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
    require(extension != nullptr);
    require(X509_add_ext(certificate, extension.get(), -1) == 1);
}

std::string alternative_names(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        if (!text.empty()) text += ',';
        text += (config::Address::parse(name) ? "IP:" : "DNS:") + name;
    }
    return text;
}

}  // namespace

std::chrono::sys_seconds at(int year, unsigned month, unsigned day) {
    return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) /
                                 std::chrono::day(day));
}

std::string Issued::pem() const {
    const BioPtr out(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_X509(out.get(), certificate.get()) == 1);
    return text_in(out.get());
}

std::string Issued::key_pem() const {
    const BioPtr out(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                          nullptr) == 1);
    return text_in(out.get());
}

Issued issue(const Request& request, const Issued* issuer) {
    static long serial = 0;  // an issuer's certificates are told apart by it
    Issued made{X509Ptr(X509_new()), make_key(request.key)};
    X509* const certificate = made.certificate.get();
    require(certificate != nullptr && made.key != nullptr);
    require(X509_set_version(certificate, X509_VERSION_3) == 1);
    require(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial) == 1);
    set_time(X509_getm_notBefore(certificate), request.from);
    set_time(X509_getm_notAfter(certificate), request.until);
    X509_NAME* const subject = X509_get_subject_name(certificate);
    const auto* const name = reinterpret_cast<const unsigned char*>(request.subject.c_str());
    require(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, -1, -1, 0) == 1);
    const X509* const issued_by = issuer != nullptr ? issuer->certificate.get() : certificate;
    require(X509_set_issuer_name(certificate, X509_get_subject_name(issued_by)) == 1);
    require(X509_set_pubkey(certificate, made.key.get()) == 1);
    if (!request.names.empty())
        add_extension(certificate, NID_subject_alt_name, alternative_names(request.names));
    add_extension(certificate, NID_basic_constraints, request.authority ? "CA:TRUE" : "CA:FALSE");
    if (!request.extended_usage.empty())
        add_extension(certificate, NID_ext_key_usage, request.extended_usage);
    if (!request.usage.empty()) add_extension(certificate, NID_key_usage, request.usage);
    if (request.must_staple) add_extension(certificate, NID_tlsfeature, "status_request");
    EVP_PKEY* const signer = issuer != nullptr ? issuer->key.get() : made.key.get();
    require(X509_sign(certificate, signer, digest_for(signer)) > 0);
    return made;
}

std::string ticket_key_line(char fill) {
    const std::vector<unsigned char> bytes(TicketKey::size, static_cast<unsigned char>(fill));
    std::vector<unsigned char> text(bytes.size() * 2);
    const int size = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
    return std::string(text.begin(), text.begin() + size) + '\n';
}

config::HostPattern pattern(std::string_view text) {
    using Kind = config::HostPattern::Kind;
    if (text == "*") return {Kind::any, ""};
    if (text.starts_with("*.")) return {Kind::wildcard, std::string(text.substr(2))};
    return {Kind::exact, std::string(text)};
}

config::Host host_with(std::string_view name, const Issued& issued, const TemporaryFolder& folder) {
    config::Host host;
    host.name = pattern(name);
    host.certificates = {{folder.write(std::string(name) + ".pem", issued.pem()),
                          folder.write(std::string(name) + ".key", issued.key_pem()),
                          {},
                          {}}};
    return host;
}

}  // namespace stanzagate::certs::testing
