#include "proxy/authority_watch.hpp"

#include <utility>

#include "proxy/log_diagnostics.hpp"

namespace stanzagate::proxy {

AuthorityWatch::AuthorityWatch(boost::asio::io_context& background, const Log& log, Take take,
                               FileReloadSettings settings)
    : log_(log),
      take_(std::move(take)),
      reload_(
          background, [this](FileReload::Attempt attempt) { return read(attempt); }, settings) {}

void AuthorityWatch::watch(std::shared_ptr<const Snapshot> snapshot) {
    snapshot_ = std::move(snapshot);
    tls_ = Tls(snapshot_, &snapshot_->upstream_tls);
    reload_.watch(tls_->files());
}

bool AuthorityWatch::read(FileReload::Attempt attempt) {
    config::Diagnostics found;
    take(std::make_shared<const certs::UpstreamTls>(tls_->reload(snapshot_->config, found)));
    if (!found.has_errors()) return true;
    if (attempt == FileReload::Attempt::last) {
        ++reloads_.failed;
        log_diagnostics(log_, "authorities", found, "what was trusted stays trusted");
    }
    return false;
}

void AuthorityWatch::take(const Tls& tls) {
    auto const changed = tls->changed_since(*tls_);
    if (changed.empty()) return;
    tls_ = tls;
    ++reloads_.ok;
    take_(tls_, [&log = log_, changed] {
        for (auto const& file : changed)
            log.info("authorities_reloaded", {Field::in_full("file", file.string())});
    });
}

}  // namespace stanzagate::proxy
