#include "proxy/file_watcher.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "proxy/error_text.hpp"
#include "proxy/file_places.hpp"

namespace stanzagate::proxy {
namespace {

namespace fs = std::filesystem;

// Not IN_MODIFY: whoever is not through with writing has not closed the file.
constexpr std::uint32_t wanted_events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                        IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                                        IN_ONLYDIR;

constexpr int most_settling = 10;  // times `settle`

constexpr auto* any_name = "";  // for a directory that is watched itself

}  // namespace

FileWatcher::FileWatcher(boost::asio::io_context& io, Handler handler, FileWatcherSettings settings)
    : settings_(settings),
      handler_(std::move(handler)),
      inotify_(io),
      settle_timer_(io),
      look_timer_(io) {
    int const fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        why_no_inotify_ = "inotify: " + error_text(errno);
    } else {
        inotify_.assign(fd);
        wait_for_events();
    }
    wait_to_look();
}

FileWatcher::~FileWatcher() = default;

void FileWatcher::watch(const std::vector<fs::path>& files) {
    Files next;
    for (auto const& file : files) {
        auto const before = files_.find(file);
        next.emplace(file, before == files_.end() ? File{} : before->second);
    }
    std::swap(files_, next);
    arm();
    // After arming: what changes from now on comes as an event.
    for (auto& [file, state] : files_)
        if (!next.contains(file)) state.reported = FileStamp::of(file);
    wait_to_settle();
    wait_to_look();
}

// Brings inotify's watches in line with where the files are now.
void FileWatcher::arm() {
    if (!inotify_.is_open()) return;
    why_no_inotify_.clear();
    std::map<int, Names> next;
    for (auto const& [file, state] : files_) {
        for (auto const& place : places_of(file))
            if (auto const number = add(place.directory)) next[*number].emplace(place.name, file);
        std::error_code ignored;
        if (!fs::is_directory(file, ignored)) continue;
        if (auto const number = add(file)) next[*number].emplace(any_name, file);
    }
    for (auto const& [number, names] : watches_)
        if (!next.contains(number)) ::inotify_rm_watch(inotify_.native_handle(), number);
    watches_ = std::move(next);
}

// A directory that is watched already keeps its number.
std::optional<int> FileWatcher::add(const fs::path& directory) {
    int const number =
        ::inotify_add_watch(inotify_.native_handle(), directory.c_str(), wanted_events);
    if (number >= 0) return number;
    // Gone since a moment ago: that is an event of the directory above, or found by looking.
    if (errno != ENOENT && errno != ENOTDIR)
        why_no_inotify_ = directory.string() + ": " + error_text(errno);
    return std::nullopt;
}

void FileWatcher::wait_for_events() {
    inotify_.async_wait(
        boost::asio::posix::descriptor_base::wait_read,
        [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
            if (error || alive.expired()) return;
            wait_for_events();  // first, since reading may throw
            read_events();
        });
}

void FileWatcher::read_events() {
    alignas(inotify_event) std::array<char, 16'384> buffer{};
    for (;;) {
        ssize_t const size = ::read(inotify_.native_handle(), buffer.data(), buffer.size());
        if (size <= 0) break;
        std::size_t const end = static_cast<std::size_t>(size);
        for (std::size_t at = 0; at < end;) {
            auto const& event = *reinterpret_cast<const inotify_event*>(buffer.data() + at);
            on_event(event);
            at += sizeof(inotify_event) + event.len;
        }
    }
    wait_to_settle();
}

void FileWatcher::on_event(const inotify_event& event) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) return touch_all();
    auto const watch = watches_.find(event.wd);
    if (watch == watches_.end()) return;
    auto const& names = watch->second;
    auto const touch_each = [this](auto range) {
        for (auto name = range.first; name != range.second; ++name) touch(name->second);
    };
    // Without a name: it happened to the directory.
    if (event.len == 0) return touch_each(std::pair(names.begin(), names.end()));
    touch_each(names.equal_range(static_cast<const char*>(event.name)));
    touch_each(names.equal_range(any_name));
}

void FileWatcher::touch(const fs::path& file) {
    auto const found = files_.find(file);
    if (found == files_.end()) return;
    found->second.last_event = Clock::now();
    if (!found->second.first_event) found->second.first_event = found->second.last_event;
}

void FileWatcher::touch_all() {
    for (auto const& [file, state] : files_) touch(file);
}

FileWatcher::Clock::time_point FileWatcher::due(const File& file) const {
    if (!file.first_event) return Clock::time_point::max();
    return std::min(file.last_event + settings_.settle,
                    *file.first_event + settings_.settle * most_settling);
}

void FileWatcher::wait_to_settle() {
    auto first = Clock::time_point::max();
    for (auto const& [file, state] : files_) first = std::min(first, due(state));
    if (first == Clock::time_point::max()) return;
    settle_timer_.expires_at(first);
    settle_timer_.async_wait(
        [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
            if (!error && !alive.expired()) report_settled();
        });
}

void FileWatcher::report_settled() {
    auto const now = Clock::now();
    std::vector<std::pair<fs::path, FileStamp>> changed;
    arm();  // before looking, see watch()
    for (auto& [file, state] : files_) {
        if (due(state) > now) continue;
        state.first_event.reset();
        auto const stamp = FileStamp::of(file);
        bool const was_and_is_missing = stamp == FileStamp{} && state.reported == FileStamp{};
        if (!was_and_is_missing) changed.emplace_back(file, stamp);
    }
    wait_to_settle();
    std::weak_ptr const alive(alive_);
    auto const handler = handler_;  // may destroy *this
    for (auto const& [file, stamp] : changed) {
        if (files_.contains(file)) handler(file);
        if (alive.expired()) return;
        if (auto const found = files_.find(file); found != files_.end())
            found->second.reported = stamp;
    }
}

void FileWatcher::wait_to_look() {
    look_timer_.expires_after(why_no_inotify_.empty() ? settings_.look
                                                      : settings_.look_without_inotify);
    look_timer_.async_wait(
        [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
            if (error || alive.expired()) return;
            wait_to_look();
            look();
        });
}

void FileWatcher::look() {
    arm();
    for (auto const& [file, state] : files_)
        if (!state.first_event && FileStamp::of(file) != state.reported) touch(file);
    wait_to_settle();
}

}  // namespace stanzagate::proxy
