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
    has_given_up_ = false;
    attempt_after(Clock::duration::zero());
}

void FileReload::attempt_after(Clock::duration delay) {
    timer_.expires_after(delay);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) attempt();
    });
}

void FileReload::attempt() {
    auto attempt = Attempt::one_of_many;
    if (Clock::now() >= patient_until_)
        attempt = std::exchange(has_given_up_, true) ? Attempt::later : Attempt::last;
    // Before the reading, which may throw.
    attempt_after(attempt == Attempt::one_of_many ? settings_.again : settings_.later);
    auto const next = timer_.expiry();
    bool const was_used = read_(attempt);
    bool const is_to_read_others = timer_.expiry() != next;  // it has called watch()
    if (was_used && !is_to_read_others) timer_.cancel();
}

}  // namespace stanzagate::proxy
