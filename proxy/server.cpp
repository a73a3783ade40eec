#include "proxy/server.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/admin_pages.hpp"
#include "proxy/admin_server.hpp"
#include "proxy/log_diagnostics.hpp"
#include "proxy/monitor.hpp"
#include "proxy/predecessor.hpp"
#include "proxy/reloader.hpp"
#include "proxy/service_manager.hpp"
#include "proxy/signals.hpp"
#include "proxy/standstill.hpp"
#include "proxy/takeover.hpp"
#include "proxy/watchdog.hpp"
#include "proxy/worker.hpp"

namespace stanzagate::proxy {
namespace {

// What goes wrong in one task of the background loop, in a reload say, ends that task and only
// that.
void run_background(boost::asio::io_context& background, const Log& log) {
    for (;;) {
        try {
            background.run();
            return;
        } catch (const std::exception& exception) {
            log.error("exception", {{"what", exception.what()}});
        }
    }
}

// No browser reaches a UNIX socket by a name.
AdminNames admin_names(const config::Server& server) {
    bool const over_tcp = server.admin && server.admin->endpoint();
    return over_tcp && !server.admin_public ? AdminNames::own : AdminNames::any;
}

// Lines of the log that tell how often others were repeated.
class RepeatedLines {
public:
    RepeatedLines(boost::asio::io_context& background, const Log& log)
        : log_(log), timer_(background) {
        wait();
    }

private:
    void wait() {
        timer_.expires_after(std::chrono::seconds(1));
        timer_.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            auto const now = timer_.expiry();
            wait();
            log_.tell_repeats(now);
        });
    }

    const Log& log_;
    boost::asio::steady_timer timer_;
};

// What the service manager is told at a reload: until it hears the end, it waits.
class ToldReload {
public:
    ToldReload() { notify_reloading(); }
    ~ToldReload() { notify_service_manager("READY=1"); }
    ToldReload(const ToldReload&) = delete;
    ToldReload& operator=(const ToldReload&) = delete;
};

using Workers = std::vector<std::unique_ptr<Worker>>;
using Post = std::function<void(std::function<void()>)>;

std::vector<Post> loops_of(const Workers& workers) {
    std::vector<Post> loops;
    for (auto const& worker : workers)
        loops.emplace_back(
            [&loop = worker->loop()](std::function<void()> task) { loop.post(std::move(task)); });
    return loops;
}

// With all sockets that somebody may be connecting to.
std::variant<Successor, std::string> start(const Program& program, const Workers& workers,
                                           AdminServer& admin) {
    Standstill const standstill(loops_of(workers), std::chrono::seconds(2));
    if (!standstill) return "a worker does not answer";
    std::vector<PassedSocket> sockets;
    for (auto const& worker : workers) worker->list_sockets(sockets);
    if (auto const socket = admin.socket()) sockets.push_back(*socket);
    return start_successor(program, sockets);
}

void name_thread(unsigned worker) {
    ::pthread_setname_np(::pthread_self(), ("worker-" + std::to_string(worker)).c_str());
}

// Where that throws, `threads` are those that run.
void start_threads(const Workers& workers, std::vector<std::thread>& threads) {
    threads.reserve(workers.size());
    for (auto const& worker : workers)
        threads.emplace_back([&worker = *worker, number = static_cast<unsigned>(threads.size())] {
            name_thread(number);
            worker.run();
        });
}

void join_all(std::vector<std::thread>& threads) {
    for (auto& thread : threads) thread.join();
}

}  // namespace

ExitCode serve(const std::shared_ptr<const Snapshot>& snapshot, const config::Diagnostics& warnings,
               const Program& program) {
    auto const& config = snapshot->config;
    std::signal(SIGPIPE, SIG_IGN);
    Log const log(config.server.log);
    Admission admission(config.limits);
    SaidOnce said;
    boost::asio::io_context background{1};
    Predecessor predecessor(background);
    auto inherited = InheritedSockets::from_environment(log);
    NameResolver resolver(background);
    ListLookups list_lookups(background, log);
    SharedQuotas quotas;
    SharedInvitations invitations;
    BoshDirectory bosh;
    Recent recent;
    auto const ticket_keys =
        snapshot->ticket_keys() ? *snapshot->ticket_keys() : certs::TicketKeys::generate();
    Shared const shared{log,    admission,   said, resolver, list_lookups,
                        quotas, invitations, bosh, recent,   ticket_keys};

    unsigned const cores = std::max(1U, std::thread::hardware_concurrency());
    unsigned const count = config.server.workers != 0 ? config.server.workers : cores;
    Workers workers;
    workers.reserve(count);
    for (unsigned number = 0; number < count; ++number)
        workers.push_back(std::make_unique<Worker>(number, snapshot, shared));

    AdminServer admin(background, log);
    Reloader reloader(background, snapshot, workers, admission, admin, log, ticket_keys);
    Monitor monitor(background, {workers, reloader, recent, quotas, list_lookups});
    admin.answer_by([&](const HttpRequest& request) {
        return admin_response(request, admin_names(reloader.config().server),
                              [&] { return monitor.report(); });
    });
    RepeatedLines const repeated_lines(background, log);
    Watchdog watchdog(
        background, loops_of(workers), [] { notify_service_manager("WATCHDOG=1"); }, log);

    auto const begin_to_end = [&] {
        watchdog.stop();
        auto const grace = reloader.config().server.drain;
        log.info("draining", {{"ms", grace.count()}});
        return grace;
    };
    auto const hand_over = [&] {
        auto const grace = begin_to_end();
        admin.hand_over();
        for (auto const& worker : workers) worker->hand_over(grace);
    };
    auto const reload = [&] {
        ToldReload const told;
        reloader.reload();
    };
    auto exit_code = ExitCode::done;
    auto const end = [&] {
        exit_code = ExitCode::cannot_start;  // whoever starts again what fails is to do so
        for (auto const& worker : workers) worker->end();
    };
    Takeover takeover(
        background, {[&] { return start(program, workers, admin); }, hand_over, reload, end}, log);
    auto const drain = [&] {
        if (!takeover.is_done()) notify_service_manager("STOPPING=1");
        takeover.abandon();
        auto const grace = begin_to_end();
        monitor.drain();
        for (auto const& worker : workers) worker->drain(grace);
    };
    auto const reload_unless_over = [&] {
        if (!takeover.sees_to_reload()) reload();
    };
    Signals const signals(background, {drain, reload_unless_over, [&] { takeover.begin(); }});
    log_diagnostics(log, "configuration", warnings);
    if (!reloader.open_doors(std::move(inherited))) return ExitCode::cannot_start;

    std::vector<std::thread> threads;
    std::thread joiner;
    try {
        start_threads(workers, threads);
        joiner = std::thread([&] {
            join_all(threads);
            background.stop();
        });
    } catch (const std::exception& exception) {
        log.error("cannot_start", {{"reason", "threads: " + std::string(exception.what())}});
        for (auto const& worker : workers) worker->end();
        join_all(threads);
        return ExitCode::cannot_start;
    }
    log.info("ready", {{"workers", count}, {"version", STANZAGATE_VERSION}, {"pid", ::getpid()}});
    predecessor.tell_ready([&] {
        reloader.predecessor_is_gone();
        notify_service_manager("READY=1");
        auto const limit =
            watchdog_limit(::getpid(), std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID"));
        if (limit) watchdog.start(*limit);
    });
    run_background(background, log);
    ignore_further_signals();
    joiner.join();
    log.tell_repeats(Repeats::Clock::time_point::max());
    log.info("stopped", {});
    return exit_code;
}

}  // namespace stanzagate::proxy
