#include "proxy/monitor.hpp"

#include <boost/asio/io_context.hpp>

#include "proxy/list_lookups.hpp"
#include "proxy/reloader.hpp"
#include "proxy/shared_quotas.hpp"
#include "proxy/worker.hpp"

namespace stanzagate::proxy {

Monitor::Monitor(boost::asio::io_context& background, Sources sources)
    : sources_(sources), minute_(background, std::chrono::steady_clock::now()) {
    wait_for_minute();
}

// From the last one's end, so that minutes do not grow longer by what each is late.
void Monitor::wait_for_minute() {
    minute_.expires_at(minute_.expiry() + std::chrono::minutes(1));
    minute_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        wait_for_minute();
        history_.minute_is_over(Minute::of(totals()));
    });
}

Totals Monitor::totals() const {
    Totals totals;
    for (auto const& worker : sources_.workers) totals.add(worker->counters());
    return totals;
}

Report Monitor::report() const {
    auto const& snapshot = sources_.reloader.snapshot();
    Report report;
    report.version = STANZAGATE_VERSION;
    report.started = started_;
    report.now = std::chrono::system_clock::now();
    report.workers = sources_.workers.size();
    report.draining = draining_;
    report.full_addresses =
        snapshot.config.server.status_addresses == config::StatusAddresses::full;
    report.totals = totals();
    report.reloads = sources_.reloader.reloads();
    report.quotas_out_of_space = sources_.quotas.refused_for_space();
    report.dns_list_failures = sources_.list_lookups.failures();
    for (auto const& entry : snapshot.certificates->entries())
        report.certificates.push_back({entry.name.to_string(), entry.identity->expires()});
    auto const failures = sources_.recent.upstreams();
    for (auto const& host : snapshot.config.hosts) {
        for (auto const& address : host.upstream.addresses) {
            auto const found = failures.find(address.to_string());
            report.upstreams.push_back(
                {host.name.to_string(), address.to_string(),
                 found == failures.end() ? UpstreamFailures{} : found->second});
        }
    }
    report.decisions = sources_.recent.decisions();
    report.minutes = history_.minutes(Minute::of(report.totals));
    return report;
}

}  // namespace stanzagate::proxy
