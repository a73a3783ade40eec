#include "proxy/reloader.hpp"

#include <boost/asio/post.hpp>
#include <exception>
#include <set>
#include <string>
#include <utility>

#include "proxy/admin_server.hpp"
#include "proxy/log_diagnostics.hpp"

namespace stanzagate::proxy {
namespace {

// Called when the last copy of what is returned is gone: each worker drops its own when it uses
// what it was given, so that whoever reads the log can rely on it.
std::shared_ptr<const void> when_all_use(std::function<void()> in_use) {
    return {nullptr, [in_use = std::move(in_use)](const void*) { in_use(); }};
}

void log_what_waits(const config::Server& running, const config::Server& wanted, const Log& log) {
    auto const say = [&](std::string_view key) { log.warning("restart_needed", {{"key", key}}); };
    if (wanted.workers != running.workers) say("server.workers");
    if (wanted.log != running.log) say("server.log");
}

}  // namespace

Reloader::Reloader(boost::asio::io_context& background, std::shared_ptr<const Snapshot> snapshot,
                   const Workers& workers, Admission& admission, AdminServer& admin, const Log& log,
                   const certs::TicketKeys& ticket_keys, std::chrono::milliseconds until_unread)
    : started_with_(snapshot->config.server),
      snapshot_(std::move(snapshot)),
      workers_(workers),
      admission_(admission),
      admin_(admin),
      log_(log),
      background_(background),
      until_unread_(until_unread),
      unread_timer_(background),
      watcher_(background, [this](auto const& file) { read_list(file, Unchanged::is_told); }),
      certificates_(
          background, log,
          [this](auto const& store, auto in_use) { take_certificates(store, std::move(in_use)); }),
      authorities_(
          background, log,
          [this](auto const& tls, auto in_use) { take_authorities(tls, std::move(in_use)); }),
      tickets_(background, log, ticket_keys, [this](auto const& keys, auto in_use) {
          auto const told = when_all_use(std::move(in_use));
          for (auto const& worker : workers_) worker->use_ticket_keys(keys, told);
      }) {}

bool Reloader::open_doors(InheritedSockets inherited) {
    if (auto const& admin = snapshot_->config.server.admin)
        admin_.inherit(inherited.take_admin(*admin));
    left_admin_ = inherited.take_left_admin();
    doors_.inherit(std::move(inherited));
    if (!publish(snapshot_, [] {})) return false;
    watch_files();
    return true;
}

void Reloader::predecessor_is_gone() {
    if (left_admin_) remove_admin_socket(*std::exchange(left_admin_, std::nullopt));
}

void Reloader::reload() {
    try {
        if (take_configuration()) return;
    } catch (const std::exception& exception) {
        log_.error("exception", {{"what", exception.what()}});
    }
    ++reloads_.failed;
    log_.error("reload_failed", {Field::in_full("file", snapshot_->config.file.string()),
                                 {"consequence", "the old configuration stays in use"}});
}

bool Reloader::take_configuration() {
    config::Diagnostics diagnostics;
    auto snapshot = load_snapshot(snapshot_->config.file, diagnostics, snapshot_.get());
    log_diagnostics(log_, "configuration", diagnostics);
    auto const in_use = [&log = log_, running = started_with_, now = snapshot] {
        log_what_waits(running, now->config.server, log);
        log.info("reloaded", {Field::in_full("file", now->config.file.string())});
    };
    if (!snapshot || !publish(snapshot, in_use)) return false;
    ++reloads_.ok;
    snapshot_ = std::move(snapshot);
    watch_files();
    return true;
}

bool Reloader::publish(const std::shared_ptr<const Snapshot>& snapshot,
                       std::function<void()> in_use) {
    auto doors = doors_.open(snapshot->config, workers_.size(), log_);
    if (!doors || !admin_.listen(snapshot->config.server.admin)) return false;
    if (!doors_.listen(*doors, log_)) return false;
    admission_.use(snapshot->config.limits);
    auto const told = when_all_use(std::move(in_use));
    for (std::size_t i = 0; i < workers_.size(); ++i)
        workers_[i]->use(snapshot, std::move((*doors)[i]), told);
    return true;
}

void Reloader::watch_files() {
    watch_lists();
    certificates_.watch(snapshot_);
    authorities_.watch(snapshot_);
    tickets_.use(snapshot_->config.server, snapshot_->ticket_keys());
}

void Reloader::take_certificates(const CertificateWatch::Store& store,
                                 std::function<void()> in_use) {
    take(snapshot_->with_certificates(store), std::move(in_use));
}

void Reloader::take_authorities(const AuthorityWatch::Tls& tls, std::function<void()> in_use) {
    take(snapshot_->with_upstream_tls(tls), std::move(in_use));
}

void Reloader::take(std::shared_ptr<const Snapshot> snapshot, std::function<void()> in_use) {
    snapshot_ = std::move(snapshot);
    auto const told = when_all_use(std::move(in_use));
    for (auto const& worker : workers_) worker->use(snapshot_, told);
}

Reloads Reloader::reloads() const {
    auto sum = reloads_;
    for (auto const& one : {certificates_.reloads(), authorities_.reloads(), tickets_.reloads()}) {
        sum.ok += one.ok;
        sum.failed += one.failed;
    }
    return sum;
}

void Reloader::watch_lists() {
    std::vector<std::filesystem::path> files;
    for (auto const& list : snapshot_->config.lists)
        if (list.file) files.push_back(*list.file);
    watcher_.watch(files);
    // They may have changed between being read and being watched.
    boost::asio::post(background_, [this, files] {
        for (auto const& file : files) read_list(file, Unchanged::is_no_news);
    });
}

// While there are no descriptors, no file can be opened; and that there are some again is no event.
void Reloader::wait_for_unread_lists() {
    unread_timer_.expires_after(until_unread_);
    unread_timer_.async_wait([this](const boost::system::error_code& error) {
        if (error || unread_lists_.empty()) return;
        wait_for_unread_lists();
        for (auto const& file : std::set(unread_lists_)) read_list(file, Unchanged::is_no_news);
    });
}

void Reloader::read_list(const std::filesystem::path& file, Unchanged unchanged) {
    if (unread_lists_.empty()) wait_for_unread_lists();
    unread_lists_.insert(file);  // before the reading, which may throw
    config::Diagnostics diagnostics;
    bool was_read = true;
    auto contents = snapshot_->lists();
    auto const& lists = snapshot_->config.lists;
    std::vector<std::pair<std::string, std::size_t>> changed;  // name, entries
    for (std::size_t i = 0; i < lists.size(); ++i) {
        if (lists[i].file != file) continue;
        auto const before = contents[i];
        was_read = config::read_list_again(lists[i], contents[i], diagnostics) && was_read;
        if (*contents[i] == *before) continue;
        changed.emplace_back(lists[i].name, contents[i]->size());
    }
    if (was_read) unread_lists_.erase(file);
    if (!changed.empty() || unchanged == Unchanged::is_told)
        log_diagnostics(log_, "list", diagnostics);
    if (changed.empty()) return;
    take(snapshot_->with_lists(std::move(contents)), [&log = log_, changed, file] {
        for (auto const& [name, entries] : changed)
            log.info("list_reloaded",
                     {{"list", name}, Field::in_full("file", file.string()), {"entries", entries}});
    });
}

}  // namespace stanzagate::proxy
