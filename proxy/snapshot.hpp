#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "certs/certificate_store.hpp"
#include "certs/ticket_keys.hpp"
#include "certs/upstream_tls.hpp"
#include "config/config.hpp"
#include "config/diagnostics.hpp"
#include "config/list_contents.hpp"
#include "filters/policy.hpp"
#include "proxy/countries.hpp"

namespace stanzagate::proxy {

// What was loaded from an operator's files, part by part.
struct Loaded {
    std::shared_ptr<const config::Config> config;
    std::shared_ptr<const certs::CertificateStore> certificates;
    std::shared_ptr<const certs::UpstreamTls> upstream_tls;
    config::ListContents lists{};
    std::shared_ptr<const Countries> countries{};    // null: no rule asks for them
    std::optional<certs::TicketKeys> ticket_keys{};  // absent: no file has them
};

// All of it at one moment: immutable, shared by all workers, kept by the sessions that decide by
// it until they decide by the next. What has not changed is shared with that.
class Snapshot {
public:
    explicit Snapshot(Loaded loaded)
        : loaded_(std::move(loaded)),
          config(*loaded_.config),
          policy(config, loaded_.lists),
          certificates(loaded_.certificates),
          upstream_tls(*loaded_.upstream_tls) {}
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

    const config::ListContents& lists() const { return loaded_.lists; }
    const Countries* countries() const { return loaded_.countries.get(); }
    const std::optional<certs::TicketKeys>& ticket_keys() const { return loaded_.ticket_keys; }
    // The same with other contents of the list files.
    std::shared_ptr<const Snapshot> with_lists(config::ListContents lists) const;
    // The same with other certificates.
    std::shared_ptr<const Snapshot> with_certificates(
        std::shared_ptr<const certs::CertificateStore> certificates) const;
    // The same where other authorities are trusted.
    std::shared_ptr<const Snapshot> with_upstream_tls(
        std::shared_ptr<const certs::UpstreamTls> upstream_tls) const;

private:
    Loaded loaded_;

public:
    const config::Config& config;
    const filters::Policy policy;  // borrows `config`
    const std::shared_ptr<const certs::CertificateStore>& certificates;
    const certs::UpstreamTls& upstream_tls;
};

// Reads the configuration, lists, certificates and keys. All that is wrong is added to
// `diagnostics`, of files that a wrong configuration names too; nullptr where anything was. What
// connections keep of a snapshot for life, the certificates and CAs, is shared with `before` where
// it is still the same.
std::shared_ptr<const Snapshot> load_snapshot(const std::filesystem::path& file,
                                              config::Diagnostics& diagnostics,
                                              const Snapshot* before = nullptr);
// The same where the configuration was read already.
std::shared_ptr<const Snapshot> load_snapshot(config::Config config,
                                              config::Diagnostics& diagnostics,
                                              const Snapshot* before = nullptr);

}  // namespace stanzagate::proxy
