#include "tests/proxy/visits.hpp"

#include <utility>

#include "tests/proxy/test_snapshot.hpp"

namespace stanzagate::proxy::testing {

Visit failed(const VisitPlan& plan, Visit::End end, std::string words) {
    Visit visit;
    visit.end = end;
    visit.words = std::move(words);
    visit.header = plan.header;
    visit.source = plan.source.address;
    visit.gate = "127.0.0.1";
    visit.server = "127.0.0.2";
    return visit;
}

Visit stream_error(const VisitPlan& plan, std::string condition) {
    auto visit = failed(plan, Visit::End::stream_error);
    visit.answers.stream_error = std::move(condition);
    return visit;
}

Visit welcome(const VisitPlan& plan) {
    auto visit = failed(plan, Visit::End::answered);
    auto& features = visit.answers.features.emplace();
    features.registration = true;
    features.mechanisms = {"SCRAM-SHA-1", "PLAIN"};
    visit.answers.asked_to_register = true;
    visit.answers.registration = RegistrationReply::form;
    return visit;
}

Visit wants_header(config::ProxyHeader header, const VisitPlan& plan) {
    if (plan.header == header) return welcome(plan);
    return header == config::ProxyHeader::none ? stream_error(plan, "not-well-formed")
                                               : failed(plan, Visit::End::closed);
}

std::shared_ptr<const Snapshot> gate_before(const std::string& upstream,
                                            const std::string& registration) {
    return snapshot_of(R"(
        [[listen]]
        address = "0.0.0.0:5222"
        tls = "direct"
        [registration]
        url = "https://example.org/"
        whitelist = ["192.0.2.64/26"]
        [[host]]
        name = "example.org"
        self_signed = true
        [host.upstream]
        )" + upstream + "\n[host.registration]\n" +
                       registration);
}

Examination examination(const Snapshot& snapshot, const MakeVisit& visit) {
    auto const& host = snapshot.config.hosts.front();
    return examine({&snapshot.config, &host, host.name.to_string(), host.upstream.addresses.front(),
                    example_addresses(snapshot, host.name.to_string())},
                   visit);
}

}  // namespace stanzagate::proxy::testing
