#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>

#include "certs/ticket_keys.hpp"
#include "config/config.hpp"
#include "proxy/file_reload.hpp"
#include "proxy/log.hpp"
#include "proxy/report.hpp"

namespace stanzagate::proxy {

// Sees to the keys that session tickets are sealed with: those of the file that the configuration
// names, read again when it changes (where that cannot be used, the ones in use stay, and the log
// says so); without one, keys in memory, a new one each day, the one before it opening still. On
// the background loop.
class TicketKeeper {
public:
    // Has all workers use them; `in_use` is called, on some thread, when they do.
    using Take = std::function<void(const certs::TicketKeys& keys, std::function<void()> in_use)>;

    struct Settings {
        FileReloadSettings reload{};
        std::chrono::milliseconds rotation = std::chrono::hours(24);
    };

    // `keys` are in use already.
    TicketKeeper(boost::asio::io_context& background, const Log& log, certs::TicketKeys keys,
                 Take take, Settings settings);
    TicketKeeper(boost::asio::io_context& background, const Log& log, certs::TicketKeys keys,
                 Take take);

    // From now on by this configuration; `loaded` is what its file holds, where it names one.
    void use(const config::Server& server, const std::optional<certs::TicketKeys>& loaded);
    Reloads reloads() const { return reloads_; }

private:
    bool read(FileReload::Attempt attempt);
    bool is_to_be_told(const config::Diagnostics& found, FileReload::Attempt attempt);
    void change_to(const certs::TicketKeys& keys, std::function<void()> in_use);
    void wait_to_rotate();

    const Log& log_;
    Take take_;
    Settings settings_;
    FileReload reload_;
    boost::asio::steady_timer rotation_;
    certs::TicketKeys keys_;
    std::optional<std::filesystem::path> file_;
    config::Position where_;
    std::string told_;  // of the last failure
    Reloads reloads_;
};

}  // namespace stanzagate::proxy
