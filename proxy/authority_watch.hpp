#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "certs/upstream_tls.hpp"
#include "proxy/file_reload.hpp"
#include "proxy/log.hpp"
#include "proxy/report.hpp"
#include "proxy/snapshot.hpp"

namespace stanzagate::proxy {

// Reads the CA files that upstreams are verified by again when they change, and has those taken
// that are new. One that cannot be used is trusted as it was, and the log says so, once for each
// change, some seconds after it. On the background loop.
class AuthorityWatch {
public:
    using Tls = std::shared_ptr<const certs::UpstreamTls>;
    // Has all workers use it; `in_use` is called, on some thread, when they do.
    using Take = std::function<void(const Tls& tls, std::function<void()> in_use)>;

    AuthorityWatch(boost::asio::io_context& background, const Log& log, Take take,
                   FileReloadSettings settings = {});

    // From now on, those of this snapshot.
    void watch(std::shared_ptr<const Snapshot> snapshot);
    // How often new files were taken, and how often they could not be.
    Reloads reloads() const { return reloads_; }

private:
    bool read(FileReload::Attempt attempt);
    void take(const Tls& tls);

    const Log& log_;
    Take take_;
    FileReload reload_;
    std::shared_ptr<const Snapshot> snapshot_;  // for its configuration
    Tls tls_;                                   // in use
    Reloads reloads_;
};

}  // namespace stanzagate::proxy
