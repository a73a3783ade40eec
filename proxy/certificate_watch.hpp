#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "certs/certificate_store.hpp"
#include "config/diagnostics.hpp"
#include "proxy/file_reload.hpp"
#include "proxy/log.hpp"
#include "proxy/report.hpp"
#include "proxy/snapshot.hpp"

namespace stanzagate::proxy {

// Reads the certificates again when their files change, and has those taken that are new. A host
// whose new files cannot be used keeps what it has, and the log says so, once for each change, some
// seconds after it; they are tried again from time to time. All are also read once a day, for the
// warnings of those that are about to expire. On the background loop.
class CertificateWatch {
public:
    using Store = std::shared_ptr<const certs::CertificateStore>;
    // Has all workers use a store; `in_use` is called, on some thread, when they do.
    using Take = std::function<void(const Store& store, std::function<void()> in_use)>;

    CertificateWatch(boost::asio::io_context& background, const Log& log, Take take,
                     FileReloadSettings settings = {});

    // From now on, those of this snapshot; its warnings were told.
    void watch(std::shared_ptr<const Snapshot> snapshot);
    // How often new files were taken, and how often they could not be.
    Reloads reloads() const { return reloads_; }

private:
    bool read(FileReload::Attempt attempt);
    void take(const Store& store);
    void tell(const config::Diagnostics& found, FileReload::Attempt attempt);
    void wait_for_day();

    const Log& log_;
    Take take_;
    FileReload reload_;
    boost::asio::steady_timer day_;
    std::shared_ptr<const Snapshot> snapshot_;  // for its configuration
    Store store_;                               // in use
    std::set<std::string> told_;                // by the last reading, or before
    bool is_first_ = true;                      // reading since watch()
    Reloads reloads_;
};

}  // namespace stanzagate::proxy
