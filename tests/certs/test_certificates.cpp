#include "tests/certs/test_certificates.hpp"

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

PKeyPtr make_key(KeyKind kind) {
    switch (kind) {
        case KeyKind::p256:
            return PKeyPtr(EVP_EC_gen("P-256"));
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
    EVP_PKEY* const signer = issuer != nullptr ? issuer->key.get() : made.key.get();
    require(X509_sign(certificate, signer, EVP_sha256()) > 0);
    return made;
}

std::string ticket_key_line(char fill) {
    const std::vector<unsigned char> bytes(TicketKey::size, static_cast<unsigned char>(fill));
    std::vector<unsigned char> text(bytes.size() * 2);
    const int size = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
    return std::string(text.begin(), text.begin() + size) + '\n';
}

TempFolder::TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "stanzagate-XXXXXX").string();
    require(mkdtemp(name.data()) != nullptr);
    path_ = name;
}

TempFolder::~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TempFolder::write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
}

config::HostPattern pattern(std::string_view text) {
    using Kind = config::HostPattern::Kind;
    if (text == "*") return {Kind::any, ""};
    if (text.starts_with("*.")) return {Kind::wildcard, std::string(text.substr(2))};
    return {Kind::exact, std::string(text)};
}

config::Host host_with(std::string_view name, const Issued& issued, const TempFolder& folder) {
    config::Host host;
    host.name = pattern(name);
    host.certificates = {{folder.write(std::string(name) + ".pem", issued.pem()),
                          folder.write(std::string(name) + ".key", issued.key_pem()),
                          {},
                          {}}};
    return host;
}

}  // namespace stanzagate::certs::testing
