#include "proxy/doctor.hpp"

#include "filters/jid.hpp"
#include "proxy/upstream_findings.hpp"
#include "proxy/upstream_visit.hpp"

namespace stanzagate::proxy {
namespace {

std::string why_skipped(const config::HostPattern& pattern) {
    auto const example =
        pattern.kind == config::HostPattern::Kind::any ? "example.org" : "some." + pattern.name;
    return pattern.to_string() +
           ": not examined, since it says no name to ask for; name one: "
           "stanzagate check --live --host " +
           example;
}

}  // namespace

std::variant<DoctorReport, std::string> examine_upstreams(const Snapshot& snapshot,
                                                          std::vector<std::string> names) {
    DoctorReport report;
    if (names.empty()) {
        for (auto const& host : snapshot.config.hosts) {
            if (host.name.kind == config::HostPattern::Kind::exact)
                names.push_back(host.name.name);
            else
                report.skipped.push_back(why_skipped(host.name));
        }
    }
    auto const visit = [&](const VisitPlan& plan) {
        return visit_upstream(plan, snapshot.upstream_tls);
    };
    for (auto const& written : names) {
        auto const name = filters::domain_of(written);
        auto const* const host = snapshot.config.find_host(name);
        if (host == nullptr) return "no [[host]] has the name \"" + written + '"';
        auto const examples = example_addresses(snapshot, name);
        for (auto const& address : host->upstream.addresses) {
            auto const seen = examine({&snapshot.config, host, name, address, examples}, visit);
            report.upstreams.push_back({name, address.to_string(), facts(seen), judge(seen)});
        }
    }
    return report;
}

}  // namespace stanzagate::proxy
