#include "proxy/server.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/admin_pages.hpp"
#include "proxy/admin_server.hpp"
#include "proxy/log_diagnostics.hpp"
#include "proxy/monitor.hpp"
#include "proxy/reloader.hpp"
#include "proxy/service_manager.hpp"
#include "proxy/worker.hpp"

namespace stanzagate::proxy {
namespace {

// Waits for signals on the background loop and passes them on.
class Signals {
public:
    Signals(boost::asio::io_context& background, std::function<void()> stop,
            std::function<void()> reload)
        : stop_(std::move(stop)),
          reload_(std::move(reload)),
          stop_signals_(background, SIGTERM, SIGINT),
          reload_signals_(background, SIGHUP) {
        wait_for_stop();
        wait_for_reload();
    }

private:
    void wait_for_stop() {
        stop_signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (error) return;
            if (std::exchange(stopping_, true)) ::_exit(EXIT_SUCCESS);
            stop_();
            wait_for_stop();
        });
    }

    void wait_for_reload() {
        reload_signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (error) return;
            if (!stopping_) reload_();
            wait_for_reload();
        });
    }

    std::function<void()> stop_;
    std::function<void()> reload_;
    boost::asio::signal_set stop_signals_;
    boost::asio::signal_set reload_signals_;
    bool stopping_ = false;
};

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

// From here on a signal has nobody left to tell.
void ignore_further_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (int const signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

ExitCode serve(const std::shared_ptr<const Snapshot>& snapshot,
               const config::Diagnostics& warnings) {
    auto const& config = snapshot->config;
    std::signal(SIGPIPE, SIG_IGN);
    Log const log(config.server.log);
    Admission admission(config.limits);
    SaidOnce said;
    boost::asio::io_context background{1};
    NameResolver resolver(background);
    ListLookups list_lookups(background, log);
    SharedQuotas quotas;
    BoshDirectory bosh;
    Recent recent;
    auto const ticket_keys =
        snapshot->ticket_keys() ? *snapshot->ticket_keys() : certs::TicketKeys::generate();
    Shared const shared{log,    admission, said,   resolver,   list_lookups,
                        quotas, bosh,      recent, ticket_keys};

    unsigned const cores = std::max(1U, std::thread::hardware_concurrency());
    unsigned const count = config.server.workers != 0 ? config.server.workers : cores;
    std::vector<std::unique_ptr<Worker>> workers;
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
    auto const drain = [&] {
        auto const grace = reloader.config().server.drain;
        log.info("draining", {{"ms", grace.count()}});
        notify_service_manager("STOPPING=1");
        monitor.drain();
        for (auto const& worker : workers) worker->drain(grace);
    };
    Signals const signals(background, drain, [&] { reloader.reload(); });
    log_diagnostics(log, "configuration", warnings);
    if (!reloader.open_doors()) return ExitCode::cannot_start;

    std::vector<std::thread> threads;
    threads.reserve(count);
    for (auto const& worker : workers) threads.emplace_back([&worker] { worker->run(); });
    std::thread joiner([&] {
        for (auto& thread : threads) thread.join();
        background.stop();
    });
    log.info("ready", {{"workers", count}, {"version", STANZAGATE_VERSION}});
    notify_service_manager("READY=1");
    run_background(background, log);
    ignore_further_signals();
    joiner.join();
    log.info("stopped", {});
    return ExitCode::done;
}

}  // namespace stanzagate::proxy
