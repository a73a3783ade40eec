#include "proxy/reloader.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace stanzagate::proxy {

Reloader::Reloader(boost::asio::io_context& background, std::shared_ptr<const Snapshot> snapshot,
                   const Workers& workers, Admission& admission, const Log& log)
    : snapshot_(std::move(snapshot)),
      workers_(workers),
      admission_(admission),
      log_(log),
      background_(background),
      watcher_(background, [this](auto const& file) { read_list(file, Unchanged::is_told); }) {}

bool Reloader::open_doors() {
    if (!publish(snapshot_)) return false;
    watch_lists();
    return true;
}

void Reloader::reload() {
    config::Diagnostics diagnostics;
    auto snapshot = load_snapshot(snapshot_->config.file, diagnostics);
    log_diagnostics("configuration", diagnostics);
    if (!snapshot || !publish(snapshot)) {
        log_.error("reload_failed", {{"file", snapshot_->config.file.string()},
                                     {"consequence", "the old configuration stays in use"}});
        return;
    }
    log_what_stays(snapshot->config);
    admission_.use(snapshot->config.limits);
    snapshot_ = std::move(snapshot);
    watch_lists();
    log_.info("reloaded", {{"file", snapshot_->config.file.string()}});
}

bool Reloader::publish(const std::shared_ptr<const Snapshot>& snapshot) {
    auto doors = doors_.open(snapshot->config, workers_.size(), log_);
    if (!doors) return false;
    doors_.opened(doors->front());
    for (std::size_t i = 0; i < workers_.size(); ++i)
        workers_[i]->use(snapshot, std::move((*doors)[i]));
    return true;
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

void Reloader::read_list(const std::filesystem::path& file, Unchanged unchanged) {
    config::Diagnostics diagnostics;
    auto contents = snapshot_->lists();
    auto const& lists = snapshot_->config.lists;
    bool changed = false;
    for (std::size_t i = 0; i < lists.size(); ++i) {
        if (lists[i].file != file) continue;
        auto const before = contents[i];
        config::read_list_again(lists[i], contents[i], diagnostics);
        if (*contents[i] == *before) continue;
        changed = true;
        log_.info(
            "list_reloaded",
            {{"list", lists[i].name}, {"file", file.string()}, {"entries", contents[i]->size()}});
    }
    if (changed || unchanged == Unchanged::is_told) log_diagnostics("list", diagnostics);
    if (!changed) return;
    snapshot_ = snapshot_->with_lists(std::move(contents));
    for (auto const& worker : workers_) worker->use(snapshot_);
}

void Reloader::log_what_stays(const config::Config& next) const {
    auto const& now = snapshot_->config;
    auto const say = [&](std::string_view key) { log_.warning("restart_needed", {{"key", key}}); };
    if (next.server.workers != now.server.workers) say("server.workers");
    if (next.server.log != now.server.log) say("server.log");
}

void Reloader::log_diagnostics(std::string_view event,
                               const config::Diagnostics& diagnostics) const {
    for (auto const& diagnostic : diagnostics.sorted()) {
        auto const level = diagnostic.severity == config::Severity::error
                               ? config::LogLevel::error
                               : config::LogLevel::warning;
        log_.write(level, event,
                   {{"file", diagnostic.where.file},
                    {"line", diagnostic.where.line},
                    {"column", diagnostic.where.column},
                    {"message", diagnostic.message}});
    }
}

}  // namespace stanzagate::proxy
