#pragma once

#include <filesystem>
#include <memory>

#include "certs/certificate_store.hpp"
#include "certs/upstream_tls.hpp"
#include "config/config.hpp"
#include "config/diagnostics.hpp"
#include "filters/policy.hpp"

namespace stanzagate::proxy {

// Everything that was loaded from an operator's files, at one moment: immutable, shared by all
// workers, kept by the sessions that began with it until they no longer need it.
struct Snapshot {
    Snapshot(config::Config loaded, certs::CertificateStore store, certs::UpstreamTls tls)
        : config(std::move(loaded)),
          policy(config),
          certificates(std::make_shared<const certs::CertificateStore>(std::move(store))),
          upstream_tls(std::move(tls)) {}
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

    const config::Config config;
    const filters::Policy policy;  // borrows `config`
    const std::shared_ptr<const certs::CertificateStore> certificates;
    const certs::UpstreamTls upstream_tls;
};

// Reads the configuration, certificates and keys. All that is wrong is added to `diagnostics`;
// nullptr where anything was.
std::shared_ptr<const Snapshot> load_snapshot(const std::filesystem::path& file,
                                              config::Diagnostics& diagnostics);

}  // namespace stanzagate::proxy
