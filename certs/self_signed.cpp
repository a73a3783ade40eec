#include "certs/self_signed.hpp"

#include <openssl/ec.h>
#include <openssl/rand.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <utility>

#include "config/address.hpp"

namespace stanzagate::certs {
namespace {

using NamesPtr = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;
using NamePtr = std::unique_ptr<GENERAL_NAME, Free<GENERAL_NAME_free>>;
using StringPtr = std::unique_ptr<ASN1_STRING, Free<ASN1_STRING_free>>;
using ConstraintsPtr = std::unique_ptr<BASIC_CONSTRAINTS, Free<BASIC_CONSTRAINTS_free>>;

constexpr std::chrono::hours clock_skew{1};  // between this machine and its clients
constexpr std::chrono::days lifetime{30};

void require(bool done) {
    if (!done)
        throw std::runtime_error("cannot make a self-signed certificate: " +
                                 drain_openssl_errors());
}

NamePtr general_name(const std::string& name) {
    const auto address = config::Address::parse(name);
    const std::string dns = name == "*" ? "localhost" : name;
    StringPtr value(ASN1_STRING_type_new(address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
    require(value != nullptr);
    const void* bytes = dns.data();
    std::size_t size = dns.size();
    if (address) {
        bytes = address->bytes().data();
        size = address->bytes().size();
    }
    require(ASN1_STRING_set(value.get(), bytes, static_cast<int>(size)) == 1);

    NamePtr result(GENERAL_NAME_new());
    require(result != nullptr);
    GENERAL_NAME_set0_value(result.get(), address ? GEN_IPADD : GEN_DNS, value.release());
    return result;
}

void add_names(X509* certificate, std::span<const std::string> names) {
    // Reserved, so that push() cannot fail.
    const NamesPtr all(sk_GENERAL_NAME_new_reserve(nullptr, static_cast<int>(names.size())));
    require(all != nullptr);
    for (const std::string& name : names)
        sk_GENERAL_NAME_push(all.get(), general_name(name).release());
    require(X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), 0, 0) == 1);
}

void set_serial(X509* certificate) {
    std::uint64_t serial = 0;
    require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
    require(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1);
}

void set_subject(X509* certificate) {
    X509_NAME* const subject = X509_get_subject_name(certificate);
    // A fixed one: host names may be longer than a common name can be, and nobody reads it there.
    const auto* const text = reinterpret_cast<const unsigned char*>("stanzagate self-signed");
    require(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1);
    require(X509_set_issuer_name(certificate, subject) == 1);
}

void set_validity(X509* certificate, TimePoint now) {
    using std::chrono::system_clock;
    require(ASN1_TIME_set(X509_getm_notBefore(certificate),
                          system_clock::to_time_t(now - clock_skew)) != nullptr);
    require(ASN1_TIME_set(X509_getm_notAfter(certificate),
                          system_clock::to_time_t(now + lifetime)) != nullptr);
}

}  // namespace

Identity make_self_signed(std::span<const std::string> names, TimePoint now) {
    PKeyPtr key(EVP_EC_gen("P-256"));
    X509Ptr certificate(X509_new());
    const ConstraintsPtr no_authority(BASIC_CONSTRAINTS_new());
    require(key && certificate && no_authority);

    require(X509_set_version(certificate.get(), X509_VERSION_3) == 1);
    set_serial(certificate.get());
    set_subject(certificate.get());
    set_validity(certificate.get(), now);
    require(X509_set_pubkey(certificate.get(), key.get()) == 1);
    add_names(certificate.get(), names);
    require(X509_add1_ext_i2d(certificate.get(), NID_basic_constraints, no_authority.get(), 1, 0) ==
            1);
    require(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
    return {std::move(certificate), nullptr, std::move(key)};
}

}  // namespace stanzagate::certs
