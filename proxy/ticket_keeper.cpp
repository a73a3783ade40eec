#include "proxy/ticket_keeper.hpp"

#include <string>
#include <utility>
#include <vector>

#include "proxy/log_diagnostics.hpp"

namespace stanzagate::proxy {

TicketKeeper::TicketKeeper(boost::asio::io_context& background, const Log& log,
                           certs::TicketKeys keys, Take take, Settings settings)
    : log_(log),
      take_(std::move(take)),
      settings_(settings),
      reload_(
          background, [this](FileReload::Attempt attempt) { return read(attempt); },
          settings.reload),
      rotation_(background),
      keys_(std::move(keys)) {
    wait_to_rotate();
}

TicketKeeper::TicketKeeper(boost::asio::io_context& background, const Log& log,
                           certs::TicketKeys keys, Take take)
    : TicketKeeper(background, log, std::move(keys), std::move(take), Settings()) {}

void TicketKeeper::use(const config::Server& server,
                       const std::optional<certs::TicketKeys>& loaded) {
    bool const had_file = file_.has_value();
    file_ = server.ticket_keys;
    where_ = server.ticket_keys_where;
    if (loaded)
        change_to(*loaded, [] {});
    else if (had_file)
        change_to(certs::TicketKeys::generate(), [] {});
    std::vector<std::filesystem::path> files;
    if (file_) files.push_back(*file_);
    reload_.watch(files);
}

bool TicketKeeper::read(FileReload::Attempt attempt) {
    if (!file_) return true;
    config::Diagnostics found;
    auto const keys = certs::TicketKeys::load(*file_, where_, found);
    bool const is_news = keys && *keys != keys_;
    bool const has_failed = !keys && is_to_be_told(found, attempt);
    if (is_news || has_failed) log_diagnostics(log_, "ticket_keys", found, "the keys in use stay");
    if (has_failed) ++reloads_.failed;
    if (is_news) {
        ++reloads_.ok;
        change_to(*keys, [&log = log_, file = file_->string(), count = keys->count()] {
            log.info("ticket_keys_reloaded", {Field::in_full("file", file), {"entries", count}});
        });
    }
    return keys.has_value();
}

bool TicketKeeper::is_to_be_told(const config::Diagnostics& found, FileReload::Attempt attempt) {
    if (attempt == FileReload::Attempt::one_of_many) return false;
    std::string text;
    for (auto const& diagnostic : found.all()) text += diagnostic.to_string() + '\n';
    auto const before = std::exchange(told_, std::move(text));
    return attempt == FileReload::Attempt::last || told_ != before;
}

void TicketKeeper::change_to(const certs::TicketKeys& keys, std::function<void()> in_use) {
    if (keys == keys_) return;
    keys_ = keys;
    take_(keys_, std::move(in_use));
}

void TicketKeeper::wait_to_rotate() {
    rotation_.expires_after(settings_.rotation);
    rotation_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        wait_to_rotate();
        if (!file_) change_to(keys_.rotated(), [] {});
    });
}

}  // namespace stanzagate::proxy
