#include "certs/identity_set.hpp"

#include <algorithm>
#include <utility>

#include "certs/pem.hpp"

namespace stanzagate::certs {
namespace {

std::string kind_text(const Identity& identity) {
    switch (identity.kind()) {
        case EVP_PKEY_EC:
            return "an ECDSA";
        case EVP_PKEY_RSA:
            return "an RSA";
        default:
            return std::string("a ") + EVP_PKEY_get0_type_name(identity.key());
    }
}

}  // namespace

std::optional<IdentitySet> IdentitySet::load(std::span<const config::HostCertificate> files,
                                             config::Diagnostics& diagnostics, TimePoint now) {
    IdentitySet set;
    bool failed = false;
    for (const config::HostCertificate& one : files) {
        if (!set.name_.empty()) set.name_ += ", ";
        set.name_ += one.certificate.string();
        auto identity = Identity::load(one, diagnostics, now);
        if (!identity) {
            failed = true;
            continue;
        }
        const auto has_kind = [&](const Identity& other) {
            return other.kind() == identity->kind();
        };
        if (std::ranges::any_of(set.identities_, has_kind)) {
            const PemSource source{"host.certificate", one.certificate, one.certificate_where,
                                   diagnostics};
            source.error(source.name() + " has " + kind_text(*identity) +
                         " key, as one before it in the list: one for each kind is shown");
            failed = true;
        }
        set.identities_.push_back(std::move(*identity));
    }
    if (failed) return std::nullopt;
    return set;
}

IdentitySet::IdentitySet(Identity identity) {
    identities_.push_back(std::move(identity));
}

bool IdentitySet::covers(std::string_view name) const {
    return std::ranges::all_of(identities_,
                               [&](const Identity& identity) { return identity.covers(name); });
}

bool IdentitySet::covers_some_below(std::string_view parent) const {
    return std::ranges::all_of(identities_, [&](const Identity& identity) {
        return certs::covers_some_below(identity.certificate(), parent);
    });
}

TimePoint IdentitySet::expires() const {
    return std::ranges::min_element(identities_, {}, &Identity::expires)->expires();
}

bool IdentitySet::same_as(const IdentitySet& other) const {
    return name_ == other.name_ &&
           std::ranges::equal(
               identities_, other.identities_,
               [](const Identity& one, const Identity& another) { return one.same_as(another); });
}

}  // namespace stanzagate::certs
