#include "certs/certificate_store.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "certs/certificate_folder.hpp"
#include "certs/self_signed.hpp"

namespace stanzagate::certs {
namespace {

namespace fs = std::filesystem;
using Pattern = config::HostPattern;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Certificates hold internationalised names in another form (xn--...), so those are not judged. A
// wildcard's host may have a certificate for some of its names, one by one.
void warn_if_not_covered(const config::Host& host, const IdentitySet& identity,
                         config::Diagnostics& diagnostics) {
    const std::string& name = host.name.name;
    if (host.name.kind == Pattern::Kind::any || !is_ascii(name)) return;
    const bool below = host.name.kind == Pattern::Kind::wildcard;
    if (below ? identity.covers_some_below(name) : identity.covers(name)) return;
    diagnostics.warning(host.certificates.front().certificate_where,
                        "host.certificate: " + config::in_quotes(identity.name()) + " is not for " +
                            (below ? "any name below " : "") + config::in_quotes(name) +
                            ": clients will refuse it");
}

void warn_of_self_signed(const config::Host& host, config::Diagnostics& diagnostics) {
    diagnostics.warning(host.where, "host.self_signed: the certificate of " +
                                        config::in_quotes(host.name.to_string()) +
                                        " is made at start; clients will not trust it");
}

std::shared_ptr<const IdentitySet> self_signed_for(const config::Host& host,
                                                   std::shared_ptr<const IdentitySet> before,
                                                   TimePoint now) {
    if (before && before->made_in_memory() && before->expires() - now > expiry_warning)
        return before;
    const std::array names{host.name.to_string()};
    return std::make_shared<const IdentitySet>(make_self_signed(names, now));
}

// Loads what hosts name, each once, and notes what was looked at.
class Loader {
public:
    Loader(config::Diagnostics& diagnostics, TimePoint now)
        : diagnostics_(diagnostics), now_(now) {}

    // Those of a host that names files, which go on to be `before` where they are the same. nullptr
    // where an error was found: a list of files that is wrong is told of once, where it is named
    // first.
    std::shared_ptr<const IdentitySet> load(const config::Host& host,
                                            const std::shared_ptr<const IdentitySet>& before) {
        const auto files = files_of(host);
        if (files.empty()) return nullptr;
        Files key;
        for (const config::HostCertificate& one : files) {
            key.emplace_back(one.certificate, one.key);
            looked_at_.insert({one.certificate, one.key, ocsp_file(one)});
        }
        const auto [place, is_new] = by_files_.try_emplace(std::move(key), nullptr);
        if (is_new)
            if (auto read = IdentitySet::load(files, diagnostics_, now_))
                place->second = before && before->same_as(*read)
                                    ? before
                                    : std::make_shared<const IdentitySet>(std::move(*read));
        return place->second;
    }

    std::vector<fs::path> looked_at() const {
        auto all = looked_at_;
        for (const auto& [path, folder] : folders_)
            all.insert(folder.looked_at().begin(), folder.looked_at().end());
        return {all.begin(), all.end()};
    }

private:
    using Files = std::vector<std::pair<fs::path, fs::path>>;

    std::vector<config::HostCertificate> files_of(const config::Host& host) {
        const config::HostCertificate& first = host.certificates.front();
        if (!first.is_folder()) return host.certificates;
        auto& folder = folders_.try_emplace(first.certificate, first.certificate).first->second;
        return folder.find(host.name, first, diagnostics_);
    }

    config::Diagnostics& diagnostics_;
    TimePoint now_;
    std::map<Files, std::shared_ptr<const IdentitySet>> by_files_;
    std::map<fs::path, CertificateFolder> folders_;
    std::set<fs::path> looked_at_;
};

}  // namespace

std::optional<CertificateStore> CertificateStore::load(const config::Config& config,
                                                       config::Diagnostics& diagnostics,
                                                       TimePoint now,
                                                       const CertificateStore* before) {
    for (const config::Host& host : config.hosts)
        if (host.self_signed) warn_of_self_signed(host, diagnostics);
    CertificateStore store;
    if (!store.fill(config, before, diagnostics, now)) return std::nullopt;
    return store;
}

CertificateStore CertificateStore::reload(const config::Config& config,
                                          config::Diagnostics& diagnostics, TimePoint now) const {
    CertificateStore store;
    store.fill(config, this, diagnostics, now);
    return store;
}

bool CertificateStore::fill(const config::Config& config, const CertificateStore* before,
                            config::Diagnostics& diagnostics, TimePoint now) {
    Loader loader(diagnostics, now);
    std::map<std::string, std::shared_ptr<const IdentitySet>> had;  // in `before`, by the name
    if (before != nullptr)
        for (const Entry& entry : before->entries_)
            had.emplace(entry.name.to_string(), entry.identity);
    bool failed = false;
    for (const config::Host& host : config.hosts) {
        if (!host.self_signed && host.certificates.empty()) continue;  // no listener ends TLS
        auto kept = had[host.name.to_string()];
        if (host.self_signed) {
            kept = self_signed_for(host, std::move(kept), now);
        } else if (auto loaded = loader.load(host, kept)) {
            warn_if_not_covered(host, *loaded, diagnostics);
            kept = std::move(loaded);
        } else {
            failed = true;
        }
        if (kept) add(host.name, std::move(kept));
    }
    files_ = loader.looked_at();
    return !failed;
}

void CertificateStore::add(const Pattern& name, std::shared_ptr<const IdentitySet> identity) {
    switch (name.kind) {
        case Pattern::Kind::exact:
            exact_.try_emplace(name.name, identity.get());
            break;
        case Pattern::Kind::wildcard:
            wildcards_.try_emplace(name.name, identity.get());
            longest_wildcard_ = std::max(longest_wildcard_, name.name.size());
            break;
        case Pattern::Kind::any:
            if (any_ == nullptr) any_ = identity.get();
            break;
    }
    entries_.push_back({name, std::move(identity)});
}

const IdentitySet* CertificateStore::find(std::string_view name) const {
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
