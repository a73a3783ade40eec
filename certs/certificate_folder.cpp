#include "certs/certificate_folder.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <utility>

#include "certs/identity.hpp"
#include "certs/pem.hpp"

namespace stanzagate::certs {
namespace {

namespace fs = std::filesystem;
using Pattern = config::HostPattern;

constexpr std::string_view ecdsa_ending = "_ecc";  // of acme.sh's sub-folders

// The first certificate in a file. Nothing is reported: whoever uses the file reads it again.
X509Ptr leaf_in(const fs::path& file) {
    config::Diagnostics unsaid;
    const config::Position nowhere;
    const PemSource source{"", file, nowhere, unsaid};
    const auto pem = read_pem(source);
    if (!pem) return nullptr;
    auto certificates = read_certificates(*pem, source);
    return certificates.empty() ? nullptr : std::move(certificates.front());
}

bool is_for(const X509* certificate, const Pattern& name) {
    if (certificate == nullptr) return false;
    // Any name below will do: a certificate that has the wildcard is for all of them.
    return covers(certificate,
                  name.kind == Pattern::Kind::wildcard ? "any-name." + name.name : name.name);
}

bool is_acme(const fs::path& certificate) {
    return certificate.extension() == ".cer";
}

}  // namespace

std::vector<config::HostCertificate> CertificateFolder::find(const Pattern& name,
                                                             const config::HostCertificate& written,
                                                             config::Diagnostics& diagnostics) {
    std::vector<config::HostCertificate> found;
    const auto take = [&](const Candidate& candidate) {
        auto& files = found.emplace_back(
            config::HostCertificate{candidate.certificate, candidate.key, written.certificate_where,
                                    written.certificate_where});
        const fs::path response = candidate.certificate.parent_path() / "ocsp.der";
        if (!is_there(ocsp_file(files)) && is_there(response)) files.ocsp = response;
    };
    const std::string in_folder = config::in_quotes(folder_.string());
    const auto error = [&](const std::string& message) {
        diagnostics.error(written.certificate_where, "host.certificate: " + message);
        return found;
    };
    looked_at_.insert(folder_);
    if (name.kind == Pattern::Kind::any)
        return error(in_folder +
                     " is a folder, which has no certificate for every name: name a "
                     "file, and its key");

    // acme.sh names a sub-folder after the wildcard, certbot after what follows it.
    std::vector<std::string> names{name.to_string()};
    if (name.kind == Pattern::Kind::wildcard) names.push_back(name.name);
    std::string tried;
    for (const std::string& one : names) {
        tried += config::in_quotes(one) + ", " +
                 config::in_quotes(one + std::string(ecdsa_ending)) + ", ";
        for (const Candidate& candidate : named(one))
            // One that bears a host's own name is meant, and is only warned of.
            if (name.kind == Pattern::Kind::exact || is_for(candidate.leaf.get(), name))
                take(candidate);
        if (!found.empty()) return found;
    }

    const Candidate* longest = nullptr;
    for (const Candidate& candidate : all()) {
        if (!is_for(candidate.leaf.get(), name)) continue;
        const auto until = [](const Candidate& one) {
            return time_of(X509_get0_notAfter(one.leaf.get()));
        };
        if (longest == nullptr || until(candidate) > until(*longest)) longest = &candidate;
    }
    if (longest != nullptr) {
        take(*longest);
        return found;
    }
    if (!why_not_.empty()) return error("cannot read the folder " + in_folder + ": " + why_not_);
    return error("no certificate for " + config::in_quotes(name.to_string()) + " in the folder " +
                 in_folder + ": looked for the sub-folders " + tried +
                 "and for any other whose fullchain.pem or fullchain.cer is for this name");
}

// One, or acme.sh's two.
std::vector<CertificateFolder::Candidate> CertificateFolder::named(const std::string& name) {
    std::vector<Candidate> found;
    for (const auto ending : {std::string_view(), ecdsa_ending})
        if (auto candidate = look_into(folder_ / (name + std::string(ending))))
            found.push_back(*std::move(candidate));
    return found;
}

const std::vector<CertificateFolder::Candidate>& CertificateFolder::all() {
    if (all_) return *all_;
    all_.emplace();
    std::error_code error;
    std::vector<fs::path> folders;
    for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
         entry.increment(error))
        folders.push_back(entry->path());
    if (error) why_not_ = error.message();
    std::ranges::sort(folders);
    for (const fs::path& folder : folders) {
        std::error_code ignored;
        if (!fs::is_directory(folder, ignored)) continue;
        if (auto candidate = look_into(folder)) all_->push_back(*std::move(candidate));
    }
    return *all_;
}

std::optional<CertificateFolder::Candidate> CertificateFolder::look_into(const fs::path& folder) {
    for (const auto* const file : {"fullchain.pem", "fullchain.cer"}) {
        const fs::path certificate = folder / file;
        if (!is_there(certificate)) continue;
        std::string name = folder.filename().string();
        if (name.ends_with(ecdsa_ending)) name.erase(name.size() - ecdsa_ending.size());
        return Candidate{certificate,
                         folder / (is_acme(certificate) ? name + ".key" : "privkey.pem"),
                         leaf_in(certificate)};
    }
    return std::nullopt;
}

// A file that may not be read is there: it is told of when it is read.
bool CertificateFolder::is_there(const fs::path& file) {
    looked_at_.insert(file);
    std::error_code error;
    const auto status = fs::status(file, error);
    return status.type() != fs::file_type::not_found;
}

}  // namespace stanzagate::certs
