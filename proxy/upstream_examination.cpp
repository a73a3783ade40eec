#include "proxy/upstream_examination.hpp"

#include <algorithm>
#include <utility>

namespace stanzagate::proxy {
namespace {

using config::Address;
using config::Endpoint;
using config::ProxyHeader;
using End = Visit::End;

constexpr std::uint16_t usual_port = 5222;
constexpr std::uint16_t client_port = 50000;  // any will do

// Where a client with that address would have connected to: an address of the gate, of the same
// family.
Endpoint door_for(const Address& client, const config::Config& config) {
    for (auto const& listen : config.listen)
        for (auto const& endpoint : listen.addresses) {
            auto const& bytes = endpoint.address.bytes();
            bool const one = std::any_of(bytes.begin(), bytes.end(), [](auto b) { return b != 0; });
            if (one && endpoint.address.is_v4() == client.is_v4())
                return {endpoint.address, endpoint.port != 0 ? endpoint.port : usual_port};
        }
    return {*Address::parse(client.is_v4() ? "127.0.0.1" : "::1"), usual_port};
}

VisitPlan plan_for(const ExaminationTarget& target, const Address& client) {
    VisitPlan plan;
    plan.host = target.host;
    plan.name = target.name;
    plan.address = target.address;
    plan.header = target.host->upstream.proxy_protocol;
    plan.source = {client, client_port};
    plan.destination = door_for(client, *target.config);
    return plan;
}

// Nothing came that a client could use, and another PROXY header may be the reason.
bool may_miss_another_header(const Visit& visit) {
    switch (visit.end) {
        case End::closed:
        case End::silent:
        case End::no_xmpp:
        case End::starttls_failed:
        case End::tls_failed:
            return true;
        case End::stream_error:
            return !visit.does_not_know_host();
        case End::answered:
        case End::no_such_name:
        case End::not_connected:
        case End::certificate_refused:
            return false;
    }
    return false;
}

}  // namespace

const Visit* Examination::read_otherwise() const {
    return !other_headers.empty() && other_headers.back().was_read() ? &other_headers.back()
                                                                     : nullptr;
}

const Visit* Examination::answered() const {
    auto const* const visit = as_configured().answered() ? &as_configured() : read_otherwise();
    return visit != nullptr && visit->answered() ? visit : nullptr;
}

Examination examine(ExaminationTarget target, const MakeVisit& visit) {
    Examination seen;
    auto const stranger = target.examples.stranger.value_or(target.examples.allowed.empty()
                                                                ? *Address::parse("192.0.2.1")
                                                                : target.examples.allowed.front());
    auto plan = plan_for(target, stranger);
    seen.target = std::move(target);
    seen.first = visit(plan);
    if (seen.first.end == End::certificate_refused) {
        plan.verify = false;
        seen.unverified = visit(plan);
    }
    if (may_miss_another_header(seen.as_configured())) {
        for (auto const header : {ProxyHeader::v2, ProxyHeader::v1, ProxyHeader::none}) {
            if (header == seen.target.host->upstream.proxy_protocol) continue;
            auto other = plan;
            other.header = header;
            seen.other_headers.push_back(visit(other));
            if (seen.other_headers.back().was_read()) break;
        }
        if (!seen.other_headers.back().was_read() &&
            seen.target.address.scheme == config::UpstreamScheme::starttls) {
            auto clear = plan;
            clear.address.scheme = config::UpstreamScheme::tcp;
            seen.in_clear = visit(clear);
        }
    }
    if (plan.header == ProxyHeader::none || !seen.as_configured().answered()) return seen;
    for (auto const& client : seen.target.examples.allowed) {
        auto for_client = plan_for(seen.target, client);
        for_client.verify = plan.verify;
        seen.allowed.push_back(visit(for_client));
    }
    return seen;
}

}  // namespace stanzagate::proxy
