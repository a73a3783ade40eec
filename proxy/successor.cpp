#include "proxy/successor.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "proxy/error_text.hpp"

namespace stanzagate::proxy {
namespace {

// Variables whose value is the child's own process id, which only the child knows: to be written
// into this room.
constexpr std::string_view room_for_pid = "          ";
constexpr std::array<std::string_view, 2> pid_variables{"LISTEN_PID", "WATCHDOG_PID"};

bool is_variable(std::string_view entry, std::string_view name) {
    return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
}

// All that the child needs, made before there is one: between fork() and execve() a process that
// had threads may allocate nothing.
class Launch {
public:
    Launch(const Program& program, const std::vector<PassedSocket>& sockets, int channel,
           int failure)
        : path_(program.path), failure_(failure) {
        std::string names;
        for (auto const& socket : sockets) {
            descriptors_.push_back(socket.fd);
            names += (names.empty() ? "" : ":") + socket.name();
        }
        auto const number = first_passed_descriptor + static_cast<int>(descriptors_.size());
        descriptors_.push_back(channel);
        fill_environment(sockets.size(), names, number);
        texts_of_arguments_ = program.arguments;
        point_at(texts_of_arguments_, arguments_);
        point_at(texts_of_environment_, environment_);
    }

    // In the child. Calls what signal-safety(7) lists, and nothing else.
    [[noreturn]] void run(const sigset_t& mask) {
        for (auto& entry : texts_of_environment_)
            for (auto const name : pid_variables)
                if (is_variable(entry, name)) write_pid(entry);
        place_descriptors();
        // One that it knows before it is ready would end it.
        for (int const signal : {SIGHUP, SIGUSR2}) ::signal(signal, SIG_IGN);
        for (int const signal : {SIGTERM, SIGINT}) ::signal(signal, SIG_DFL);
        ::sigprocmask(SIG_SETMASK, &mask, nullptr);
        ::execve(path_.c_str(), arguments_.data(), environment_.data());
        fail();
    }

private:
    void fill_environment(std::size_t sockets, const std::string& names, int channel) {
        for (char** entry = environ; *entry; ++entry) {
            std::string_view const text = *entry;
            auto const is = [&](std::string_view name) { return is_variable(text, name); };
            if (is("LISTEN_PID") || is("LISTEN_FDS") || is("LISTEN_FDNAMES") ||
                is(channel_variable))
                continue;
            if (is("WATCHDOG_PID"))
                texts_of_environment_.push_back("WATCHDOG_PID=" + std::string(room_for_pid));
            else
                texts_of_environment_.emplace_back(text);
        }
        texts_of_environment_.push_back("LISTEN_PID=" + std::string(room_for_pid));
        texts_of_environment_.push_back("LISTEN_FDS=" + std::to_string(sockets));
        texts_of_environment_.push_back("LISTEN_FDNAMES=" + names);
        texts_of_environment_.push_back(channel_variable + ('=' + std::to_string(channel)));
    }

    static void point_at(std::vector<std::string>& texts, std::vector<char*>& pointers) {
        for (auto& text : texts) pointers.push_back(text.data());
        pointers.push_back(nullptr);
    }

    static void write_pid(std::string& entry) {
        auto const pid = ::getpid();
        std::size_t digits = 1;
        for (auto rest = pid / 10; rest != 0; rest /= 10) ++digits;
        auto at = entry.size() - room_for_pid.size() + digits;
        entry[at] = '\0';  // there is always room for it, behind the last digit
        for (auto rest = pid; digits != 0; --digits, rest /= 10)
            entry[--at] = static_cast<char>('0' + rest % 10);
    }

    // First above where they belong, since one may be at another's place.
    void place_descriptors() {
        auto const count = static_cast<int>(descriptors_.size());
        auto const behind = first_passed_descriptor + count + 1;
        failure_ = ::fcntl(failure_, F_DUPFD_CLOEXEC, behind);
        for (auto& fd : descriptors_) {
            fd = ::fcntl(fd, F_DUPFD_CLOEXEC, behind);
            if (fd < 0) fail();
        }
        for (int i = 0; i < count; ++i)
            if (::dup2(descriptors_[static_cast<std::size_t>(i)], first_passed_descriptor + i) < 0)
                fail();
        failure_ = ::dup3(failure_, behind - 1, O_CLOEXEC);
        // What is ours ends with execve() anyway (O_CLOEXEC); a library may have others.
        ::close_range(static_cast<unsigned>(behind), ~0U, 0);
    }

    [[noreturn]] void fail() const {
        int const error = errno;
        [[maybe_unused]] auto const written = ::write(failure_, &error, sizeof error);
        ::_exit(127);
    }

    std::string path_;
    int failure_;
    std::vector<int> descriptors_;
    std::vector<std::string> texts_of_arguments_;
    std::vector<std::string> texts_of_environment_;
    std::vector<char*> arguments_;
    std::vector<char*> environment_;
};

std::pair<Fd, Fd> made_pair(int (&fds)[2], bool made) {
    if (!made) return {};
    return {Fd(fds[0]), Fd(fds[1])};
}

// What the child says of its failure; 0 where execve() has closed the pipe.
int wait_for_program(const Fd& failure) {
    int error = 0;
    ssize_t size = 0;
    do {
        size = ::read(failure.get(), &error, sizeof error);
    } while (size < 0 && errno == EINTR);
    return size == sizeof error ? error : 0;
}

bool is_program(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

std::optional<std::string> found_in_path(std::string_view name) {
    auto const* const variable = std::getenv("PATH");
    std::string_view folders = variable ? variable : "";
    while (!folders.empty()) {
        auto const end = std::min(folders.find(':'), folders.size());
        std::filesystem::path const folder(folders.substr(0, end));
        folders.remove_prefix(std::min(end + 1, folders.size()));
        if (auto const path = std::filesystem::absolute(folder / name); is_program(path))
            return path.string();
    }
    return std::nullopt;
}

std::string path_of(std::string_view called) {
    if (called.find('/') != std::string_view::npos)
        return std::filesystem::absolute(called).string();
    if (auto const found = found_in_path(called)) return *found;
    std::error_code ignored;
    return std::filesystem::read_symlink("/proc/self/exe", ignored).string();
}

}  // namespace

Program this_program(int argc, const char* const* argv) {
    Program program;
    program.arguments.assign(argv, argv + argc);
    program.path = path_of(argc > 0 ? argv[0] : "");
    return program;
}

std::variant<Successor, std::string> start_successor(const Program& program,
                                                     const std::vector<PassedSocket>& sockets) {
    int fds[2] = {};
    auto [ours, theirs] =
        made_pair(fds, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    auto [failure, told] = made_pair(fds, ::pipe2(fds, O_CLOEXEC) == 0);
    if (!ours || !failure) return error_text(errno);
    Launch launch(program, sockets, theirs.get(), told.get());

    // A handler that ran in the child would write into a pipe of ours.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    auto const pid = ::fork();
    if (pid == 0) launch.run(before);
    int const error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) return error_text(error);
    told.reset();
    if (auto const failed = wait_for_program(failure); failed != 0) {
        ::waitpid(pid, nullptr, 0);
        return program.path + ": " + error_text(failed);
    }
    return Successor{pid, std::move(ours)};
}

}  // namespace stanzagate::proxy
