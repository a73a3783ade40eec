#include "proxy/file_reload.hpp"

#include <utility>

namespace stanzagate::proxy {

FileReload::FileReload(boost::asio::io_context& io, Read read, FileReloadSettings settings)
    : settings_(settings),
      read_(std::move(read)),
      watcher_(
          io, [this](const std::filesystem::path&) { read_again(); }, settings.watcher),
      timer_(io) {}

void FileReload::watch(const std::vector<std::filesystem::path>& files) {
    watcher_.watch(files);
    read_again();
}

// Several files that change at once are reported one by one, and read once.
void FileReload::read_again() {
    patient_until_ = Clock::now() + settings_.patience;
    attempt_after(Clock::duration::zero());
}

void FileReload::attempt_after(Clock::duration delay) {
    timer_.expires_after(delay);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) attempt();
    });
}

void FileReload::attempt() {
    bool const is_last = Clock::now() >= patient_until_;
    if (!read_(is_last ? Attempt::last : Attempt::one_of_many) && !is_last)
        attempt_after(settings_.again);
}

}  // namespace stanzagate::proxy
