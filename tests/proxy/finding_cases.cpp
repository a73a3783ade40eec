#include "tests/proxy/finding_cases.hpp"

#include <gmock/gmock.h>

#include <ostream>

#include "proxy/upstream_findings.hpp"

namespace stanzagate::proxy::testing {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::ostream& operator<<(std::ostream& out, const FindingCase& one) {
    return out << one.name;
}

std::string all_of(const Finding& finding) {
    auto text = finding.what + '\n' + finding.seen + '\n' + finding.why + '\n';
    for (auto const& [where, lines] : finding.set)
        for (auto const& line : lines) text += where + ": " + line + '\n';
    return text;
}

void expect_findings(const FindingCase& one) {
    auto const snapshot = gate_before(one.upstream, one.registration);
    auto const found = judge(examination(*snapshot, one.server));
    std::vector<std::string> ids;
    for (auto const& finding : found) ids.emplace_back(finding.id);
    ASSERT_THAT(ids, ElementsAreArray(one.findings));
    for (auto const& finding : found) {
        EXPECT_FALSE(finding.what.empty() || finding.seen.empty() || finding.why.empty());
        EXPECT_THAT(finding.set, Not(IsEmpty())) << finding.id;
    }
    if (!one.said.empty()) {
        EXPECT_THAT(all_of(found.front()), HasSubstr(one.said));
    }
}

MakeVisit answering(const std::function<void(Visit&)>& change) {
    return [change](const VisitPlan& plan) {
        auto visit = welcome(plan);
        change(visit);
        return visit;
    };
}

MakeVisit offering(const std::function<void(filters::OfferedFeatures&)>& change) {
    return answering([change](Visit& visit) { change(*visit.answers.features); });
}

MakeVisit always(Visit::End end, const std::string& words) {
    return [=](const VisitPlan& plan) { return failed(plan, end, words); };
}

MakeVisit with_errors(const std::string& condition) {
    return [=](const VisitPlan& plan) { return stream_error(plan, condition); };
}

MakeVisit wanting(config::ProxyHeader header) {
    return [=](const VisitPlan& plan) { return wants_header(header, plan); };
}

}  // namespace stanzagate::proxy::testing
