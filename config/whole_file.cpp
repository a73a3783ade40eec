#include "config/whole_file.hpp"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include "config/units.hpp"

namespace stanzagate::config {
namespace {

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }

    int number() const { return number_; }

private:
    int number_;
};

Unreadable system_error() {
    return {std::generic_category().message(errno)};
}

// Which file it is, and in which state.
auto state_of(const struct stat& found) {
    return std::tuple(found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec,
                      found.st_mtim.tv_nsec);
}

struct Attempt {
    WholeFile file;
    bool changed = false;
};

// What is not returned may have been a key.
void wipe(std::string& text) {
    ::explicit_bzero(text.data(), text.size());
}

// As far as it goes, but no more than one byte beyond `expected`.
std::optional<std::string> read_up_to(int number, std::size_t expected) {
    std::string text(expected + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t got = ::read(number, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            wipe(text);
            return std::nullopt;
        }
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    text.resize(size);
    return text;
}

Attempt read_once(const std::filesystem::path& path, std::size_t most,
                  const std::function<void()>& after_reading) {
    // Without O_NONBLOCK, opening a pipe waits until somebody writes to it.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.number() < 0) return {system_error()};
    struct stat before{};
    if (::fstat(file.number(), &before) != 0) return {system_error()};
    if (S_ISDIR(before.st_mode)) return {Unreadable{"it is a directory"}};
    if (!S_ISREG(before.st_mode)) return {Unreadable{"it is not a regular file"}};
    const auto size = static_cast<std::size_t>(before.st_size);
    if (size > most) return {Unreadable{"it is larger than " + size_text(most)}};

    auto text = read_up_to(file.number(), size);
    if (!text) return {system_error()};
    if (after_reading) after_reading();
    struct stat after{};
    // By its path, to see a file that has taken its place.
    const bool same = ::stat(path.c_str(), &after) == 0 && state_of(before) == state_of(after) &&
                      text->size() == size;
    if (same) return {*std::move(text)};
    wipe(*text);
    return {{}, true};
}

}  // namespace

WholeFile read_whole_file(const std::filesystem::path& path, std::size_t most,
                          const std::function<void()>& after_reading) {
    Attempt attempt = read_once(path, most, after_reading);
    if (attempt.changed) attempt = read_once(path, most, after_reading);
    if (attempt.changed)
        return Unreadable{
            "it changed while it was read, twice; write a new file and rename it to this name"};
    return std::move(attempt.file);
}

}  // namespace stanzagate::config
