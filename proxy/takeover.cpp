#include "proxy/takeover.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "proxy/predecessor.hpp"
#include "proxy/service_manager.hpp"

namespace stanzagate::proxy {
namespace {

constexpr std::chrono::milliseconds pause_between_looks{20};
constexpr int looks_for_end = 100;

// Its status: where it still runs, it does so no more.
int end_process(pid_t pid) {
    ::kill(pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

}  // namespace

Takeover::Takeover(boost::asio::io_context& background, Steps steps, const Log& log, Times times)
    : steps_(std::move(steps)),
      log_(log),
      times_(times),
      parent_(::getppid()),
      channel_(background),
      timer_(background) {}

Takeover::Takeover(boost::asio::io_context& background, Steps steps, const Log& log)
    : Takeover(background, std::move(steps), log, Times()) {}

void Takeover::begin() {
    if (state_ == State::waiting) return refuse("one is under way");
    if (state_ == State::done) return refuse("a new process has taken over already");
    if (state_ == State::stopping) return refuse("the process stops");
    if (auto const why = why_no_successor(::getpid(), parent_, has_service_manager()); !why.empty())
        return refuse(why);
    notify_reloading();
    auto started = steps_.start();
    if (auto const* const why = std::get_if<std::string>(&started)) return fail(*why);
    auto& successor = std::get<Successor>(started);
    state_ = State::waiting;
    pid_ = successor.pid;
    log_.info("takeover", {{"pid", pid_}});
    channel_.assign(successor.channel.release());
    wait();
}

void Takeover::refuse(std::string_view reason) const {
    log_.warning("takeover_refused", {{"reason", reason}});
}

void Takeover::wait() {
    timer_.expires_after(times_.limit);
    // What was under way when one failed is not about the next.
    auto const is_over = [this, pid = pid_] { return state_ != State::waiting || pid != pid_; };
    timer_.async_wait([this, is_over](const boost::system::error_code& error) {
        if (error || is_over()) return;
        auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(times_.limit).count();
        end_process(pid_);
        fail("it was not ready within " + std::to_string(seconds) + " s, and was ended");
    });
    channel_.async_read_some(boost::asio::buffer(heard_),
                             [this, is_over](const boost::system::error_code& error, std::size_t) {
                                 if (is_over()) return;
                                 if (!error && heard_[0] == Predecessor::ready) return succeed();
                                 wait_for_end(looks_for_end);
                             });
}

// It has closed the channel, or has said what we do not know: it is about to end, which tells why,
// or it ought to.
void Takeover::wait_for_end(int looks) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) return fail(how_it_ended(status));
    if (looks == 0) return fail(how_it_ended(end_process(pid_)));
    timer_.expires_after(pause_between_looks);
    timer_.async_wait([this, looks](const boost::system::error_code& error) {
        if (!error && state_ == State::waiting) wait_for_end(looks - 1);
    });
}

// In this order, so that the service manager believes what the new process says from then on.
void Takeover::succeed() {
    state_ = State::done;
    timer_.cancel();
    log_.info("taken_over", {{"pid", pid_}});
    notify_service_manager("MAINPID=" + std::to_string(pid_));
    steps_.hand_over();
    channel_.close();
    if (reload_wanted_) ::kill(pid_, SIGHUP);
    watch();
}

// By looking: a descriptor to wait for (pidfd_open(2)) may be what is missing just then.
void Takeover::watch() {
    timer_.expires_after(times_.pause);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) look();
    });
}

// Its status stays for the process that becomes its parent: the service manager, which has been
// told that this was the main process. With exit code 0 it was told to end, or has its own
// successor.
void Takeover::look() {
    siginfo_t found{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &found, WEXITED | WNOHANG | WNOWAIT) != 0) return;
    if (found.si_pid == 0) return watch();
    bool const has_exited = found.si_code == CLD_EXITED;
    if (has_exited && found.si_status == 0) return;
    auto const reason = how_it_ended(has_exited ? W_EXITCODE(found.si_status, 0) : found.si_status);
    log_.error("successor_ended", {{"pid", pid_},
                                   {"reason", reason},
                                   {"consequence", "nobody listens: the old process ends, too"}});
    steps_.end();
}

void Takeover::fail(const std::string& reason) {
    state_ = State::idle;
    timer_.cancel();
    channel_.close();
    log_.error("takeover_failed",
               {{"reason", reason}, {"consequence", "the old process serves on"}});
    notify_service_manager("READY=1");
    if (std::exchange(reload_wanted_, false)) steps_.reload();
}

void Takeover::abandon() {
    if (state_ == State::done) return;
    if (std::exchange(state_, State::stopping) != State::waiting) return;
    timer_.cancel();
    channel_.close();
    end_process(pid_);
}

bool Takeover::sees_to_reload() {
    if (state_ == State::waiting) reload_wanted_ = true;
    if (state_ == State::done) {
        log_.info("reload_passed_on", {{"pid", pid_}});
        ::kill(pid_, SIGHUP);
    }
    return state_ == State::waiting || state_ == State::done;
}

std::string_view why_no_successor(pid_t self, pid_t parent, bool has_service_manager) {
    if (self == 1) return "this is process 1 of its container: replace that";
    if (parent == 1 && !has_service_manager)
        return "process 1 has started this one and cannot be told of another (no NOTIFY_SOCKET): "
               "it would end the container or service with this process, so replace that";
    return {};
}

std::string how_it_ended(int status) {
    if (WIFSIGNALED(status))
        return std::string("it was ended by a signal: ") + ::strsignal(WTERMSIG(status));
    auto const code = WEXITSTATUS(status);
    auto text = "it ended with exit code " + std::to_string(code);
    if (code == 1) return text + ": the configuration is wrong, as it has said";
    if (code == 2) return text + ": it does not know its command line";
    if (code == 3) return text + ": it could not bind or start, as it has said";
    return text;
}

}  // namespace stanzagate::proxy
