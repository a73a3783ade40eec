#include "proxy/snapshot.hpp"

#include <chrono>
#include <utility>

#include "config/load.hpp"
#include "proxy/descriptor_limit.hpp"

namespace stanzagate::proxy {

std::shared_ptr<const Snapshot> Snapshot::with_lists(config::ListContents lists) const {
    auto loaded = loaded_;
    loaded.lists = std::move(lists);
    return std::make_shared<const Snapshot>(std::move(loaded));
}

std::shared_ptr<const Snapshot> Snapshot::with_certificates(
    std::shared_ptr<const certs::CertificateStore> store) const {
    auto loaded = loaded_;
    loaded.certificates = std::move(store);
    return std::make_shared<const Snapshot>(std::move(loaded));
}

std::shared_ptr<const Snapshot> Snapshot::with_upstream_tls(
    std::shared_ptr<const certs::UpstreamTls> tls) const {
    auto loaded = loaded_;
    loaded.upstream_tls = std::move(tls);
    return std::make_shared<const Snapshot>(std::move(loaded));
}

std::shared_ptr<const Snapshot> load_snapshot(const std::filesystem::path& file,
                                              config::Diagnostics& diagnostics,
                                              const Snapshot* before) {
    auto config = config::load_in_part(file, diagnostics);
    if (config) warn_of_descriptors(*config, hard_descriptor_limit(), diagnostics);
    return config ? load_snapshot(*std::move(config), diagnostics, before) : nullptr;
}

std::shared_ptr<const Snapshot> load_snapshot(config::Config config,
                                              config::Diagnostics& diagnostics,
                                              const Snapshot* before) {
    auto certificates =
        certs::CertificateStore::load(config, diagnostics, std::chrono::system_clock::now(),
                                      before == nullptr ? nullptr : before->certificates.get());
    auto upstream_tls = certs::UpstreamTls::load(
        config, diagnostics, before == nullptr ? nullptr : &before->upstream_tls);
    auto lists = config::read_lists(config, diagnostics);
    std::shared_ptr<const Countries> countries;
    if (auto const& file = config.server.geoip)
        countries = Countries::load(*file, config.server.geoip_where, diagnostics);
    std::optional<certs::TicketKeys> ticket_keys;
    if (auto const& file = config.server.ticket_keys)
        ticket_keys = certs::TicketKeys::load(*file, config.server.ticket_keys_where, diagnostics);
    if (!certificates || !upstream_tls || diagnostics.has_errors()) return nullptr;
    return std::make_shared<const Snapshot>(
        Loaded{std::make_shared<const config::Config>(std::move(config)),
               std::make_shared<const certs::CertificateStore>(*std::move(certificates)),
               std::make_shared<const certs::UpstreamTls>(*std::move(upstream_tls)),
               std::move(lists), std::move(countries), std::move(ticket_keys)});
}

}  // namespace stanzagate::proxy
