#include "certs/upstream_tls.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "certs/pem.hpp"
#include "certs/tls_context.hpp"
#include "config/address.hpp"

namespace stanzagate::certs {
namespace {

constexpr std::string_view offered_protocols = "\x0bxmpp-client";  // in ALPN's wire form
constexpr std::size_t longest_name = 255;                          // TLSEXT_MAXLEN_host_name

std::string ca_of(const config::Upstream& upstream) {
    return upstream.ca ? upstream.ca->string() : std::string();
}

bool uses_tls(const config::Upstream& upstream) {
    return std::ranges::any_of(upstream.addresses, [](const config::UpstreamAddress& address) {
        return address.scheme != config::UpstreamScheme::tcp;
    });
}

// Trusts what OpenSSL finds in the system's places, when it is asked for.
SslContextPtr trusting_system() {
    auto context = make_tls_context(TlsRole::client);
    SSL_CTX_set_default_verify_paths(context.get());
    return context;
}

// Trusts the certificates of a CA file, and no others. nullptr, and an error, where it has none.
SslContextPtr trusting(std::string_view pem, const PemSource& source) {
    const auto certificates = read_certificates(pem, source);
    if (certificates.empty()) return nullptr;
    auto context = make_tls_context(TlsRole::client);
    X509_STORE* const store = SSL_CTX_get_cert_store(context.get());
    for (const X509Ptr& certificate : certificates) X509_STORE_add_cert(store, certificate.get());
    // What the operator lists is trusted, be it a root, an intermediate or the server's own.
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    return context;
}

bool can_be_certificate_name(std::string_view name) {
    return !name.empty() && name.size() <= longest_name &&
           name.find('\0') == std::string_view::npos;
}

// What SNI can carry: names in ASCII, no addresses (RFC 6066, section 3).
bool can_be_sent(std::string_view name, bool is_address) {
    return can_be_certificate_name(name) && !is_address &&
           std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool expect_name(SSL* ssl, const std::string& name, bool is_address) {
    // An empty name would switch OpenSSL's check of names off.
    if (!can_be_certificate_name(name)) return false;
    X509_VERIFY_PARAM* const param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(
        param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return is_address ? X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1
                      : X509_VERIFY_PARAM_set1_host(param, name.data(), name.size()) == 1;
}

}  // namespace

UpstreamTls::Trust UpstreamTls::load_trust(const config::Upstream& upstream,
                                           config::Diagnostics& diagnostics,
                                           const UpstreamTls* before) {
    if (!upstream.ca) return {{}, trusting_system()};
    const PemSource source{"host.upstream.ca", *upstream.ca, upstream.ca_where, diagnostics};
    auto pem = read_pem(source);
    if (!pem) return {};
    if (before != nullptr) {
        const auto had = before->trusts_.find(ca_of(upstream));
        if (had != before->trusts_.end() && *had->second.pem == *pem) return had->second;
    }
    auto context = trusting(*pem, source);
    return {std::move(pem), std::move(context)};
}

std::optional<UpstreamTls> UpstreamTls::load(const config::Config& config,
                                             config::Diagnostics& diagnostics,
                                             const UpstreamTls* before) {
    UpstreamTls result;
    bool failed = false;
    for (const config::Host& host : config.hosts) {
        if (!uses_tls(host.upstream)) continue;
        const auto [place, is_new] = result.trusts_.try_emplace(ca_of(host.upstream));
        if (!is_new) continue;
        place->second = load_trust(host.upstream, diagnostics, before);
        failed = failed || !place->second.context;
    }
    if (failed) return std::nullopt;
    return result;
}

UpstreamTls UpstreamTls::reload(const config::Config& config,
                                config::Diagnostics& diagnostics) const {
    UpstreamTls result = *this;
    std::set<std::string> read;
    for (const config::Host& host : config.hosts) {
        const config::Upstream& upstream = host.upstream;
        if (!uses_tls(upstream) || !upstream.ca || !read.insert(ca_of(upstream)).second) continue;
        if (Trust trust = load_trust(upstream, diagnostics, this); trust.context)
            result.trusts_[ca_of(upstream)] = std::move(trust);
    }
    return result;
}

std::vector<std::filesystem::path> UpstreamTls::files() const {
    std::vector<std::filesystem::path> files;
    for (const auto& [file, trust] : trusts_)
        if (!file.empty()) files.emplace_back(file);
    return files;
}

std::vector<std::filesystem::path> UpstreamTls::changed_since(const UpstreamTls& before) const {
    auto changed = files();
    std::erase_if(changed, [&](const std::filesystem::path& file) {
        const auto had = before.trusts_.find(file.string());
        return had != before.trusts_.end() &&
               had->second.context == trusts_.at(file.string()).context;
    });
    return changed;
}

SslPtr UpstreamTls::connect(const config::Upstream& upstream, config::UpstreamScheme scheme,
                            std::string_view stream_host) const {
    const auto trust = trusts_.find(ca_of(upstream));
    if (trust == trusts_.end()) return nullptr;
    SslPtr ssl(SSL_new(trust->second.context.get()));
    if (!ssl) return nullptr;
    SSL_set_connect_state(ssl.get());

    const std::string name = upstream.name.empty() ? std::string(stream_host) : upstream.name;
    const bool is_address = config::Address::parse(name).has_value();
    if (upstream.verify) {
        if (!expect_name(ssl.get(), name, is_address)) return nullptr;
        SSL_set_verify(ssl.get(), SSL_VERIFY_PEER, nullptr);
    }
    if (can_be_sent(name, is_address) && SSL_set_tlsext_host_name(ssl.get(), name.c_str()) != 1)
        return nullptr;
    if (scheme == config::UpstreamScheme::tls) {
        const auto* const wire = reinterpret_cast<const unsigned char*>(offered_protocols.data());
        const auto size = static_cast<unsigned>(offered_protocols.size());
        if (SSL_set_alpn_protos(ssl.get(), wire, size) != 0) return nullptr;  // 0 is success here
    }
    return ssl;
}

std::string_view verify_error(const SSL* ssl) {
    const long result = SSL_get_verify_result(ssl);
    return result == X509_V_OK ? std::string_view() : X509_verify_cert_error_string(result);
}

}  // namespace stanzagate::certs
