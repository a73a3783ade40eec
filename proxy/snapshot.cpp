#include "proxy/snapshot.hpp"

#include <chrono>
#include <utility>

#include "config/load.hpp"

namespace stanzagate::proxy {

std::shared_ptr<const Snapshot> load_snapshot(const std::filesystem::path& file,
                                              config::Diagnostics& diagnostics) {
    auto config = config::load(file, diagnostics);
    if (!config) return nullptr;
    auto certificates =
        certs::CertificateStore::load(*config, diagnostics, std::chrono::system_clock::now());
    auto upstream_tls = certs::UpstreamTls::load(*config, diagnostics);
    if (!certificates || !upstream_tls || diagnostics.has_errors()) return nullptr;
    return std::make_shared<const Snapshot>(*std::move(config), *std::move(certificates),
                                            *std::move(upstream_tls));
}

}  // namespace stanzagate::proxy
