#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "config/diagnostics.hpp"
#include "proxy/admission.hpp"
#include "proxy/authority_watch.hpp"
#include "proxy/certificate_watch.hpp"
#include "proxy/doors.hpp"
#include "proxy/file_watcher.hpp"
#include "proxy/log.hpp"
#include "proxy/report.hpp"
#include "proxy/snapshot.hpp"
#include "proxy/ticket_keeper.hpp"
#include "proxy/worker.hpp"

namespace stanzagate::proxy {

class AdminServer;

// Brings what an operator has changed to the workers: the configuration when asked, the files of
// lists, certificates, authorities and ticket keys whenever they change. A new configuration is
// read and checked whole, beside the one that is in use, and put in its place in one step; where
// anything is wrong with it, the log says what, by file, line and column, and nothing changes. On
// the background loop.
class Reloader {
public:
    using Workers = std::vector<std::unique_ptr<Worker>>;

    // `until_unread`: after which time a list that could not be read is tried again.
    Reloader(boost::asio::io_context& background, std::shared_ptr<const Snapshot> snapshot,
             const Workers& workers, Admission& admission, AdminServer& admin, const Log& log,
             const certs::TicketKeys& ticket_keys,
             std::chrono::milliseconds until_unread = std::chrono::minutes(1));

    // Binds the first configuration's addresses, the admin's too, but those that are `inherited`.
    // False where one cannot be bound.
    bool open_doors(InheritedSockets inherited);
    // Whose sockets these were listens no more: what nobody needs can go. Until then it may serve
    // on.
    void predecessor_is_gone();
    // Whatever happens, the log and reloads() tell how it ended.
    void reload();
    const config::Config& config() const { return snapshot_->config; }
    const Snapshot& snapshot() const { return *snapshot_; }
    // How often the configuration, or what is read again by itself save for lists, was taken.
    Reloads reloads() const;

private:
    // What is said of a list that holds what it held before.
    enum class Unchanged : std::uint8_t { is_told, is_no_news };

    // `in_use` is called, on some thread, when all workers use it; never where this is false.
    bool publish(const std::shared_ptr<const Snapshot>& snapshot, std::function<void()> in_use);
    bool take_configuration();
    void watch_files();
    void watch_lists();
    void wait_for_unread_lists();
    void read_list(const std::filesystem::path& file, Unchanged unchanged);
    void take_certificates(const CertificateWatch::Store& store, std::function<void()> in_use);
    void take_authorities(const AuthorityWatch::Tls& tls, std::function<void()> in_use);
    void take(std::shared_ptr<const Snapshot> snapshot, std::function<void()> in_use);

    const config::Server started_with_;  // what of it takes a restart still holds
    std::shared_ptr<const Snapshot> snapshot_;
    const Workers& workers_;
    Admission& admission_;
    AdminServer& admin_;
    const Log& log_;
    Doors doors_;
    std::optional<InheritedSocket> left_admin_;  // where server.admin was, and is no more
    boost::asio::io_context& background_;
    std::chrono::milliseconds until_unread_;
    std::set<std::filesystem::path> unread_lists_;  // in use is what they held before
    boost::asio::steady_timer unread_timer_;
    FileWatcher watcher_;  // of lists
    CertificateWatch certificates_;
    AuthorityWatch authorities_;
    TicketKeeper tickets_;
    Reloads reloads_;
};

}  // namespace stanzagate::proxy
