#include "certs/certificate_store.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <utility>

#include "certs/self_signed.hpp"

namespace stanzagate::certs {
namespace {

using Pattern = config::HostPattern;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Certificates hold internationalised names in another form (xn--...), so those are not judged.
void warn_if_not_covered(const config::Host& host, const Identity& identity,
                         config::Diagnostics& diagnostics) {
    const std::string& name = host.name.name;
    if (host.name.kind != Pattern::Kind::exact || !is_ascii(name) || identity.covers(name)) return;
    diagnostics.warning(host.certificate_where,
                        "host.certificate: " + config::in_quotes(host.certificate.string()) +
                            " is not for " + config::in_quotes(name) + ": clients will refuse it");
}

Identity self_signed_for(const config::Host& host, config::Diagnostics& diagnostics,
                         TimePoint now) {
    const std::array names{host.name.to_string()};
    diagnostics.warning(host.where, "host.self_signed: the certificate of " +
                                        config::in_quotes(names.front()) +
                                        " is made at start; clients will not trust it");
    return make_self_signed(names, now);
}

}  // namespace

std::optional<CertificateStore> CertificateStore::load(const config::Config& config,
                                                       config::Diagnostics& diagnostics,
                                                       TimePoint now) {
    CertificateStore store;
    bool failed = false;
    // A pair of files that is wrong is told of once, where it is named first.
    std::map<std::pair<std::filesystem::path, std::filesystem::path>, const Identity*> by_files;
    for (const config::Host& host : config.hosts) {
        if (host.self_signed) {
            store.add(host.name, store.keep(self_signed_for(host, diagnostics, now)));
            continue;
        }
        if (host.certificate.empty()) continue;  // no listener ends TLS
        const auto [place, is_new] = by_files.try_emplace({host.certificate, host.key}, nullptr);
        if (is_new) {
            auto identity = Identity::load(host.certificate, host.key, host.certificate_where,
                                           host.key_where, diagnostics, now);
            if (identity) place->second = &store.keep(std::move(*identity));
        }
        if (place->second == nullptr) {
            failed = true;
            continue;
        }
        warn_if_not_covered(host, *place->second, diagnostics);
        store.add(host.name, *place->second);
    }
    if (failed) return std::nullopt;
    return store;
}

const Identity& CertificateStore::keep(Identity identity) {
    return *identities_.emplace_back(std::make_unique<const Identity>(std::move(identity)));
}

void CertificateStore::add(const Pattern& name, const Identity& identity) {
    entries_.push_back({name, &identity});
    switch (name.kind) {
        case Pattern::Kind::exact:
            exact_.try_emplace(name.name, &identity);
            break;
        case Pattern::Kind::wildcard:
            wildcards_.try_emplace(name.name, &identity);
            longest_wildcard_ = std::max(longest_wildcard_, name.name.size());
            break;
        case Pattern::Kind::any:
            if (any_ == nullptr) any_ = &identity;
            break;
    }
}

const Identity* CertificateStore::find(std::string_view name) const {
    if (const auto found = exact_.find(name); found != exact_.end()) return found->second;
    if (!wildcards_.empty()) {
        // From left to right, so the longest comes first. Only endings that are short enough for
        // a wildcard of ours are looked up: the name is a stranger's, and may be 16 KB of dots.
        const std::size_t skipped =
            name.size() > longest_wildcard_ + 1 ? name.size() - longest_wildcard_ - 1 : 1;
        for (auto dot = name.find('.', skipped); dot != std::string_view::npos;
             dot = name.find('.', dot + 1)) {
            const auto found = wildcards_.find(name.substr(dot + 1));
            if (found != wildcards_.end()) return found->second;
        }
    }
    return name.empty() ? nullptr : any_;
}

// FNV-1a.
std::size_t CertificateStore::Hash::operator()(std::string_view name) const noexcept {
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : name) {
        hash ^= static_cast<unsigned char>(lower(c));
        hash *= 1099511628211U;
    }
    return hash;
}

bool CertificateStore::Equal::operator()(std::string_view one,
                                         std::string_view other) const noexcept {
    return std::ranges::equal(one, other, {}, lower, lower);
}

}  // namespace stanzagate::certs
