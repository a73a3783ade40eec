#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <ctime>
#include <string>
#include <utility>

#include "config/address.hpp"
#include "proxy/report.hpp"
#include "proxy/upstream_pool.hpp"

namespace stanzagate::proxy {
namespace {

namespace json = boost::json;

json::string rfc3339(Report::TimePoint time) {
    auto const seconds = std::chrono::system_clock::to_time_t(time);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char text[sizeof "-2147483648-01-01T00:00:00Z"];
    auto const size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json::string(text, size);
}

template <class Enum, Enum last>
json::object by_value(const PerValue<Enum, last, std::uint64_t>& counts) {
    json::object object;
    counts.each([&](Enum value, std::uint64_t count) { object[to_string(value)] = count; });
    return object;
}

json::object connections(const Totals& totals) {
    json::object kinds;
    totals.connections.each([&](ConnectionKind kind, auto const& counts) {
        json::object stages;
        counts.each([&](ConnectionStage stage, std::uint64_t count) {
            if (can_be(kind, stage)) stages[to_string(stage)] = count;
        });
        kinds[to_string(kind)] = std::move(stages);
    });
    return kinds;
}

json::object refused_connections(const Totals& totals) {
    json::object refused;
    totals.refused_connections.each([&](Admission::Refusal reason, std::uint64_t count) {
        if (reason != Admission::Refusal::none) refused[to_string(reason)] = count;
    });
    return refused;
}

json::array registrations(const Totals& totals) {
    json::array array;
    for (auto const& [labels, count] : totals.registrations)
        array.push_back(json::object{{"host", labels[0]},
                                     {"rule", labels[1]},
                                     {"action", labels[2]},
                                     {"request", labels[3]},
                                     {"count", count}});
    return array;
}

json::array certificates(const Report& report) {
    json::array array;
    for (auto const& certificate : report.certificates) {
        auto const days = std::chrono::floor<std::chrono::days>(report.left(certificate));
        array.push_back(json::object{{"host", certificate.host},
                                     {"expires", rfc3339(certificate.expires)},
                                     {"days_left", days.count()}});
    }
    return array;
}

json::array upstreams(const Report& report) {
    json::array array;
    for (auto const& upstream : report.upstreams) {
        auto const& failures = upstream.failures;
        json::object object{{"host", upstream.host},      {"address", upstream.address},
                            {"failures", failures.count}, {"last_failure", nullptr},
                            {"reason", nullptr},          {"failed_lately", false}};
        if (failures.count != 0) {
            object["last_failure"] = rfc3339(failures.last);
            object["reason"] = failures.reason;
            object["failed_lately"] = report.now - failures.last < UpstreamPool::dead_time;
        }
        array.push_back(std::move(object));
    }
    return array;
}

// Whose request it was is not everybody's business who may look at the page.
std::string shown(const config::Address& address, bool full) {
    if (full) return address.to_string();
    return config::Network::of(address, address.is_v4() ? 24 : 48).to_string();
}

json::array decisions(const Report& report) {
    json::array array;
    for (auto const& decision : report.decisions) {
        json::object object{{"time", rfc3339(decision.when)},
                            {"host", decision.host},
                            {"rule", decision.rule},
                            {"action", filters::to_string(decision.action)},
                            {"request", filters::to_string(decision.request)},
                            {"transport", filters::to_string(decision.transport)},
                            {"address", nullptr}};
        if (decision.peer) object["address"] = shown(*decision.peer, report.full_addresses);
        array.push_back(std::move(object));
    }
    return array;
}

json::object minutes(const Report& report) {
    auto const column = [&](std::uint64_t Minute::* member) {
        json::array array;
        for (auto const& minute : report.minutes) array.push_back(minute.*member);
        return array;
    };
    return {{"forwarded", column(&Minute::forwarded)},
            {"redirected", column(&Minute::redirected)},
            {"refused", column(&Minute::refused)},
            {"connections", column(&Minute::connections)},
            {"stream_errors", column(&Minute::stream_errors)},
            {"relayed_bytes", column(&Minute::relayed_bytes)},
            {"open", column(&Minute::open)}};
}

}  // namespace

std::string status_json(const Report& report) {
    auto const& totals = report.totals;
    return json::serialize(json::object{
        {"version", report.version},
        {"time", rfc3339(report.now)},
        {"started", rfc3339(report.started)},
        {"uptime_seconds", report.uptime().count()},
        {"workers", report.workers},
        {"draining", report.draining},
        {"connections", connections(totals)},
        {"connections_total", by_value(totals.connections_total)},
        {"handshakes", by_value(totals.handshakes)},
        {"relayed_bytes", by_value(totals.relayed_bytes)},
        {"stream_errors", by_value(totals.stream_errors)},
        {"refused_connections", refused_connections(totals)},
        {"session_ends", by_value(totals.session_ends)},
        {"reloads", {{"ok", report.reloads.ok}, {"failed", report.reloads.failed}}},
        {"registrations", registrations(totals)},
        {"certificates", certificates(report)},
        {"upstreams", upstreams(report)},
        {"decisions", decisions(report)},
        {"minutes", minutes(report)},
    });
}

}  // namespace stanzagate::proxy
