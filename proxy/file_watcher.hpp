#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/file_stamp.hpp"

struct inotify_event;

namespace stanzagate::proxy {

struct FileWatcherSettings {
    // A file is reported when nothing has happened to it for so long, or ten times that since the
    // first thing did.
    std::chrono::milliseconds settle{200};
    // How often all files are looked at besides, for what inotify does not see: a directory far up
    // the path that was moved, a change made on another machine of a network file system.
    std::chrono::milliseconds look{30'000};
    // The same where there is no inotify.
    std::chrono::milliseconds look_without_inotify{2'000};
};

// Tells when files change: written in place, replaced by renaming, removed, made, given other
// rights, or reached by symbolic links that now lead elsewhere; also where their directories are
// removed and made again. A directory may be watched too: it changes when something in it does, but
// not deeper down.
//   watch() any number of times; read the files after it, not before, to miss nothing
// A change is reported after it is over, as far as can be told: whoever reads may still find half a
// file, and is told again when the rest has come. A change may be reported where the content is the
// same; a file that was missing and still is, never. What a callback has thrown on is told again
// when all files are looked at. Belongs to one event loop, whose thread calls back. May be
// destroyed from within the callback.
class FileWatcher {
public:
    // The path as it was given to watch().
    using Handler = std::function<void(const std::filesystem::path& file)>;

    FileWatcher(boost::asio::io_context& io, Handler handler, FileWatcherSettings settings = {});
    ~FileWatcher();
    FileWatcher(const FileWatcher&) = delete;
    FileWatcher& operator=(const FileWatcher&) = delete;

    // Replaces what was watched before. What stays keeps its unreported changes.
    void watch(const std::vector<std::filesystem::path>& files);

    // Why some files are only looked at now and then; empty where inotify serves all.
    const std::string& why_no_inotify() const { return why_no_inotify_; }

private:
    using Clock = std::chrono::steady_clock;

    struct File {
        FileStamp reported;
        std::optional<Clock::time_point> first_event;  // of those not reported yet
        Clock::time_point last_event{};
    };
    using Files = std::map<std::filesystem::path, File>;
    // The files that a name in a directory matters to; "" is every name.
    using Names = std::multimap<std::string, std::filesystem::path>;

    void arm();
    std::optional<int> add(const std::filesystem::path& directory);
    void wait_for_events();
    void read_events();
    void on_event(const inotify_event& event);
    void touch(const std::filesystem::path& file);
    void touch_all();
    Clock::time_point due(const File& file) const;
    void wait_to_settle();
    void report_settled();
    void wait_to_look();
    void look();

    FileWatcherSettings settings_;
    Handler handler_;
    boost::asio::posix::stream_descriptor inotify_;
    boost::asio::steady_timer settle_timer_;
    boost::asio::steady_timer look_timer_;
    Files files_;
    std::map<int, Names> watches_;  // by inotify's number for the directory
    std::string why_no_inotify_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what comes too late
};

}  // namespace stanzagate::proxy
