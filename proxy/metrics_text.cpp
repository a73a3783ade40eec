#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/report.hpp"

namespace stanzagate::proxy {
namespace {

using Label = prometheus::ClientMetric::Label;
using Type = prometheus::MetricType;

// One family of metrics, filled line by line. What can be named beforehand is there from the start
// with 0, so that the first increase is seen as one.
class Family {
public:
    Family(std::string_view name, Type type, std::string_view help) {
        family_.name = "stanzagate_" + std::string(name);
        family_.help = help;
        family_.type = type;
    }

    Family& add(std::vector<Label> labels, double value) {
        auto& metric = family_.metric.emplace_back();
        metric.label = std::move(labels);
        if (family_.type == Type::Counter)
            metric.counter.value = value;
        else
            metric.gauge.value = value;
        return *this;
    }
    Family& add(std::vector<Label> labels, std::uint64_t value) {
        return add(std::move(labels), static_cast<double>(value));
    }
    // One line for each value of an enumeration.
    template <class Enum, Enum last>
    Family& add_each(std::string_view label, const PerValue<Enum, last, std::uint64_t>& counts) {
        counts.each([&](Enum value, std::uint64_t count) {
            add({{std::string(label), std::string(to_string(value))}}, count);
        });
        return *this;
    }
    prometheus::MetricFamily take() { return std::move(family_); }

private:
    prometheus::MetricFamily family_;
};

prometheus::MetricFamily connections(const Totals& totals) {
    Family family("connections", Type::Gauge,
                  "Open connections. http counts connections that speak HTTP; the sessions over "
                  "them are websocket and bosh.");
    totals.connections.each([&](ConnectionKind kind, auto const& stages) {
        stages.each([&](ConnectionStage stage, std::uint64_t count) {
            if (!can_be(kind, stage)) return;
            family.add({{"transport", std::string(to_string(kind))},
                        {"stage", std::string(to_string(stage))}},
                       count);
        });
    });
    return family.take();
}

prometheus::MetricFamily registrations(const Totals& totals) {
    Family family("registrations_total", Type::Counter,
                  "Decided registration requests. host is the name of a [[host]], or \"unknown\".");
    for (auto const& [labels, count] : totals.registrations)
        family.add({{"host", labels[0]},
                    {"rule", labels[1]},
                    {"action", labels[2]},
                    {"request", labels[3]}},
                   count);
    return family.take();
}

prometheus::MetricFamily refused_connections(const Totals& totals) {
    Family family("refused_connections_total", Type::Counter,
                  "Connections turned away at the door, by the limit that was reached.");
    totals.refused_connections.each([&](Admission::Refusal reason, std::uint64_t count) {
        if (reason == Admission::Refusal::none) return;
        family.add({{"reason", std::string(to_string(reason))}}, count);
    });
    return family.take();
}

// Of every host that is configured, and of those that were.
prometheus::MetricFamily upstream_failures(const Report& report) {
    Family family("upstream_failures_total", Type::Counter,
                  "Attempts to reach an address of the host's upstream that failed.");
    auto counts = report.totals.upstream_failures;
    for (auto const& upstream : report.upstreams) counts.try_emplace({upstream.host}, 0);
    for (auto const& [labels, count] : counts) family.add({{"host", labels[0]}}, count);
    return family.take();
}

prometheus::MetricFamily certificates(const Report& report) {
    Family family("certificate_expiry_seconds", Type::Gauge,
                  "Seconds until the host's certificate expires; negative where it has.");
    for (auto const& certificate : report.certificates)
        family.add({{"host", certificate.host}},
                   static_cast<double>(report.left(certificate).count()));
    return family.take();
}

double seconds_since_epoch(Report::TimePoint time) {
    return std::chrono::duration<double>(
               std::chrono::floor<std::chrono::seconds>(time).time_since_epoch())
        .count();
}

std::vector<prometheus::MetricFamily> families(const Report& report) {
    auto const& totals = report.totals;
    std::vector<prometheus::MetricFamily> families;
    families.push_back(connections(totals));
    families.push_back(Family("connections_total", Type::Counter, "Connections that were let in.")
                           .add_each("transport", totals.connections_total)
                           .take());
    families.push_back(Family("handshakes_total", Type::Counter, "TLS handshakes with clients.")
                           .add_each("result", totals.handshakes)
                           .take());
    families.push_back(registrations(totals));
    families.push_back(Family("relayed_bytes_total", Type::Counter,
                              "Bytes of streams that were relayed after authentication, "
                              "without TLS and framing.")
                           .add_each("direction", totals.relayed_bytes)
                           .take());
    families.push_back(Family("stream_errors_total", Type::Counter,
                              "Stream errors that the gate itself sent to clients.")
                           .add_each("condition", totals.stream_errors)
                           .take());
    families.push_back(refused_connections(totals));
    families.push_back(upstream_failures(report));
    families.push_back(certificates(report));
    families.push_back(Family("reloads_total", Type::Counter, "Reloads of the configuration.")
                           .add({{"result", "ok"}}, report.reloads.ok)
                           .add({{"result", "failed"}}, report.reloads.failed)
                           .take());
    families.push_back(Family("build_info", Type::Gauge, "Which version runs; always 1.")
                           .add({{"version", report.version}}, 1.0)
                           .take());
    families.push_back(Family("session_ends_total", Type::Counter,
                              "Sessions that ended, by why, as in the log's session_end.")
                           .add_each("why", totals.session_ends)
                           .take());
    families.push_back(Family("quotas_out_of_space_total", Type::Counter,
                              "Quotas that did not hold for want of space in their table alone.")
                           .add({}, report.quotas_out_of_space)
                           .take());
    families.push_back(Family("dns_list_failures_total", Type::Counter,
                              "Questions to DNS lists that got no usable answer.")
                           .add({}, report.dns_list_failures)
                           .take());
    families.push_back(
        Family("start_time_seconds", Type::Gauge, "When the process started, in Unix time.")
            .add({}, seconds_since_epoch(report.started))
            .take());
    return families;
}

}  // namespace

std::string metrics_text(const Report& report) {
    return prometheus::TextSerializer().Serialize(families(report));
}

}  // namespace stanzagate::proxy
