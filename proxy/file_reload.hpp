#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "proxy/file_watcher.hpp"

namespace stanzagate::proxy {

struct FileReloadSettings {
    FileWatcherSettings watcher{};
    // What could not be used is tried again after so long,
    std::chrono::milliseconds again{1'000};
    // and for so long since the last file changed.
    std::chrono::milliseconds patience{5'000};
    // And after that, after so long each time: files that cannot be opened while there are no
    // descriptors say so no more when there are some.
    std::chrono::milliseconds later{60'000};
};

// Has files read again that belong together, a certificate and its key say, when any of them has
// changed. Whoever replaces them does so one after another, and between two of them they make no
// sense: what cannot be used is tried again for some seconds before it counts as wrong, and now and
// then after that.
//   watch() whenever they are others; then, and at every change, `read`
// Belongs to one event loop, whose thread calls back.
class FileReload {
public:
    enum class Attempt : std::uint8_t {
        one_of_many,  // where it fails, there is another
        last,         // where it fails, that is to be told
        later,        // of what fails as before, enough was said
    };
    // Whether what was read can be used. May call watch(), or throw: then it cannot.
    using Read = std::function<bool(Attempt)>;

    FileReload(boost::asio::io_context& io, Read read, FileReloadSettings settings = {});
    FileReload(const FileReload&) = delete;
    FileReload& operator=(const FileReload&) = delete;

    // They are read once, and not from within this call: they may have changed since whoever calls
    // has read them.
    void watch(const std::vector<std::filesystem::path>& files);
    // As if one had changed.
    void read_again();

private:
    using Clock = std::chrono::steady_clock;

    void attempt_after(Clock::duration delay);
    void attempt();

    FileReloadSettings settings_;
    Read read_;
    FileWatcher watcher_;
    boost::asio::steady_timer timer_;
    Clock::time_point patient_until_{};
    bool has_given_up_ = false;
};

}  // namespace stanzagate::proxy
