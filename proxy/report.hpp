#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/counters.hpp"
#include "proxy/history.hpp"
#include "proxy/recent.hpp"

// All that the admin address tells, at one moment, as plain values.
namespace stanzagate::proxy {

struct CertificateReport {
    std::string host;  // as configured
    std::chrono::system_clock::time_point expires{};
};

struct UpstreamReport {
    std::string host;     // as configured
    std::string address;  // likewise
    UpstreamFailures failures{};
};

struct Reloads {
    std::uint64_t ok = 0;
    std::uint64_t failed = 0;
};

struct Report {
    using TimePoint = std::chrono::system_clock::time_point;

    std::string version{};
    TimePoint started{};
    TimePoint now{};
    std::size_t workers = 0;
    bool draining = false;
    bool full_addresses = false;  // of clients
    Totals totals{};
    Reloads reloads{};
    std::uint64_t quotas_out_of_space = 0;
    std::uint64_t dns_list_failures = 0;
    std::vector<CertificateReport> certificates{};
    std::vector<UpstreamReport> upstreams{};
    std::vector<RecentDecision> decisions{};  // the newest first
    std::vector<Minute> minutes{};            // the oldest first

    std::chrono::seconds uptime() const {
        return std::chrono::duration_cast<std::chrono::seconds>(now - started);
    }
    // Until it expires; negative where it has.
    std::chrono::seconds left(const CertificateReport& certificate) const {
        return std::chrono::floor<std::chrono::seconds>(certificate.expires - now);
    }
};

// The text that Prometheus asks for (docs/metrics.md).
std::string metrics_text(const Report& report);
// One JSON object, for the status page and `stanzagate status`.
std::string status_json(const Report& report);

}  // namespace stanzagate::proxy
