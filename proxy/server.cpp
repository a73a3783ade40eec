#include "proxy/server.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/listener.hpp"
#include "proxy/service_manager.hpp"
#include "proxy/worker.hpp"

namespace stanzagate::proxy {
namespace {

std::string_view to_string(config::TlsMode mode) {
    switch (mode) {
        case config::TlsMode::starttls:
            return "starttls";
        case config::TlsMode::direct:
            return "direct";
        case config::TlsMode::none:
            return "none";
    }
    return "none";
}

// Waits for signals on the background loop and passes them on.
class Signals {
public:
    Signals(boost::asio::io_context& background, const Log& log, std::function<void()> stop)
        : log_(log),
          stop_(std::move(stop)),
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
            log_.warning("reload_refused",
                         {{"reason", "not supported in this build; restart instead"}});
            wait_for_reload();
        });
    }

    const Log& log_;
    std::function<void()> stop_;
    boost::asio::signal_set stop_signals_;
    boost::asio::signal_set reload_signals_;
    bool stopping_ = false;
};

// Binds each address once for every worker. False, with the reason logged, where one cannot be.
bool bind_all(const config::Config& config, const std::vector<std::unique_ptr<Worker>>& workers,
              const Log& log) {
    auto const failed = [&](const config::Endpoint& endpoint, const std::string& why) {
        log.error("cannot_listen", {{"address", endpoint.to_string()}, {"reason", why}});
        return false;
    };
    for (auto const& listen : config.listen) {
        auto const door = std::make_shared<const config::Listen>(listen);
        for (auto endpoint : door->addresses) {
            if (auto const why = why_not_free(endpoint)) return failed(endpoint, *why);
            for (auto const& worker : workers) {
                auto opened = open_listening_socket(endpoint);
                if (auto const* const why = std::get_if<std::string>(&opened))
                    return failed(endpoint, *why);
                worker->listen(std::get<Fd>(std::move(opened)), door);
            }
            log.info("listening",
                     {{"address", endpoint.to_string()}, {"tls", to_string(door->tls)}});
        }
    }
    return true;
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
    Shared const shared{log, admission, said, resolver, certs::TicketKeys::generate()};

    unsigned const cores = std::max(1U, std::thread::hardware_concurrency());
    unsigned const count = config.server.workers != 0 ? config.server.workers : cores;
    std::vector<std::unique_ptr<Worker>> workers;
    workers.reserve(count);
    for (unsigned number = 0; number < count; ++number)
        workers.push_back(std::make_unique<Worker>(number, snapshot, shared));

    Signals const signals(background, log, [&] {
        log.info("draining", {{"ms", config.server.drain.count()}});
        notify_service_manager("STOPPING=1");
        for (auto const& worker : workers) worker->drain(config.server.drain);
    });
    for (auto const& warning : warnings.sorted()) {
        log.warning("configuration", {{"file", warning.where.file},
                                      {"line", warning.where.line},
                                      {"column", warning.where.column},
                                      {"message", warning.message}});
    }
    if (!bind_all(config, workers, log)) return ExitCode::cannot_start;

    std::vector<std::thread> threads;
    threads.reserve(count);
    for (auto const& worker : workers) threads.emplace_back([&worker] { worker->run(); });
    std::thread joiner([&] {
        for (auto& thread : threads) thread.join();
        background.stop();
    });
    log.info("ready", {{"workers", count}, {"version", STANZAGATE_VERSION}});
    notify_service_manager("READY=1");
    background.run();
    ignore_further_signals();
    joiner.join();
    log.info("stopped", {});
    return ExitCode::done;
}

}  // namespace stanzagate::proxy
