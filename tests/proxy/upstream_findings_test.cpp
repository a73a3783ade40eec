#include "proxy/upstream_findings.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/proxy/finding_cases.hpp"

namespace stanzagate::proxy {
namespace {

using config::ProxyHeader;
using filters::ServerKind;
using testing::all_of;
using testing::always;
using testing::answering;
using testing::direct_tls;
using ::testing::ElementsAre;
using testing::failed;
using testing::FindingCase;
using ::testing::HasSubstr;
using testing::in_the_clear;
using ::testing::Not;
using testing::offering;
using testing::starttls;
using testing::stream_error;
using testing::wanting;
using testing::wants_header;
using testing::welcome;
using testing::with_errors;
using testing::with_v2;
using End = Visit::End;

class ReachingFindings : public ::testing::TestWithParam<FindingCase> {};

TEST_P(ReachingFindings, AreThese) {
    testing::expect_findings(GetParam());
}

std::vector<FindingCase> reaching_it() {
    return {
        {"well", with_v2, welcome, {}, ""},
        {"well_with_tls", direct_tls, welcome, {}, ""},
        {"no_such_name",
         with_v2,
         always(End::no_such_name, "Host not found"),
         {"no-such-name"},
         "Host not found"},
        {"refused",
         with_v2,
         always(End::not_connected, "Connection refused"),
         {"not-connected"},
         "proxy_ports = { 5222 }"},
        {"refused_without_a_header",
         in_the_clear,
         always(End::not_connected, "Connection refused"),
         {"not-connected"},
         "c2s_ports = { 5222 }"},
        {"silent", with_v2, always(End::silent), {"no-answer"}, "says nothing"},
        {"no_xmpp", with_v2, always(End::no_xmpp), {"no-answer"}, "no XMPP"},
        {"unknown_host",
         with_v2,
         with_errors("host-unknown"),
         {"host-unknown"},
         "VirtualHost \"example.org\""},
        {"another_stream_error",
         with_v2,
         with_errors("policy-violation"),
         {"stream-error"},
         "policy-violation"},
        {"nothing_to_offer",
         with_v2,
         with_errors("undefined-condition"),
         {"no-mechanisms"},
         "c2s_require_encryption = false"},
        {"nothing_to_offer_before_starttls",
         starttls,
         [](const VisitPlan& plan) {
             return plan.address.scheme == config::UpstreamScheme::tcp
                        ? stream_error(plan, "undefined-condition")
                        : failed(plan, End::starttls_failed, "a stream error");
         },
         {"no-tls"},
         "a stream error: undefined-condition"},
        {"header_not_taken",
         with_v2,
         wanting(ProxyHeader::none),
         {"proxy-header-not-taken"},
         "use_proxy_protocol: true"},
        {"header_expected",
         in_the_clear,
         wanting(ProxyHeader::v2),
         {"proxy-header-expected"},
         "proxy_protocol = \"v2\""},
        {"other_header_expected",
         in_the_clear,
         wanting(ProxyHeader::v1),
         {"proxy-header-expected"},
         "proxy_protocol = \"v1\""},
        {"header_of_other_version",
         with_v2,
         wanting(ProxyHeader::v1),
         {"proxy-header-version"},
         "proxy_protocol = \"v1\""},
        {"header_not_taken_and_unknown_host",
         with_v2,
         [](const VisitPlan& plan) {
             return stream_error(
                 plan, plan.header == ProxyHeader::none ? "host-unknown" : "not-well-formed");
         },
         {"proxy-header-not-taken", "host-unknown"},
         ""},
        {"header_not_taken_inside_tls",
         direct_tls,
         [](const VisitPlan& plan) {
             return plan.header == ProxyHeader::none
                        ? welcome(plan)
                        : failed(plan, End::tls_failed, "unexpected eof");
         },
         {"proxy-header-not-taken"},
         "unexpected eof"},
        {"no_tls",
         direct_tls,
         always(End::tls_failed, "wrong version number"),
         {"no-tls"},
         "address = \"starttls://127.0.0.2:5223\""},
        {"no_starttls",
         starttls,
         [](const VisitPlan& plan) {
             return plan.address.scheme == config::UpstreamScheme::tcp
                        ? welcome(plan)
                        : failed(plan, End::starttls_failed, "the server does not offer STARTTLS");
         },
         {"no-tls"},
         "does not offer STARTTLS"},
        {"unknown_host_before_starttls",
         starttls,
         [](const VisitPlan& plan) {
             return plan.address.scheme == config::UpstreamScheme::tcp
                        ? stream_error(plan, "host-unknown")
                        : failed(plan, End::starttls_failed, "a stream error");
         },
         {"host-unknown"},
         ""},
        {"certificate_for_another_name",
         direct_tls,
         [](const VisitPlan& plan) {
             if (plan.verify) return failed(plan, End::certificate_refused, "hostname mismatch");
             auto visit = welcome(plan);
             visit.certificate_names = {"xmpp1.internal"};
             return visit;
         },
         {"certificate-refused"},
         "name = \"xmpp1.internal\""},
        {"certificate_of_nobody_known",
         direct_tls,
         [](const VisitPlan& plan) {
             return plan.verify ? failed(plan, End::certificate_refused, "self-signed certificate")
                                : welcome(plan);
         },
         {"certificate-refused"},
         "ca = \"FILE.pem\""},
        {"certificate_and_more",
         direct_tls,
         [](const VisitPlan& plan) {
             if (plan.verify) return failed(plan, End::certificate_refused, "hostname mismatch");
             auto visit = welcome(plan);
             visit.answers.features->mechanisms = {"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"};
             return visit;
         },
         {"certificate-refused", "channel-binding"},
         ""},
        {"certificate_and_unknown_host",
         direct_tls,
         [](const VisitPlan& plan) {
             return plan.verify ? failed(plan, End::certificate_refused, "hostname mismatch")
                                : stream_error(plan, "host-unknown");
         },
         {"certificate-refused", "host-unknown"},
         ""},
    };
}
INSTANTIATE_TEST_SUITE_P(UpstreamFindings, ReachingFindings, ::testing::ValuesIn(reaching_it()),
                         [](auto const& suite) { return suite.param.name; });

std::vector<std::string> places(ServerKind kind) {
    auto const snapshot = testing::gate_before(with_v2);
    auto const found = judge(testing::examination(*snapshot, answering([=](Visit& visit) {
        visit.answers.kind = kind;
        visit.answers.features->compression = true;
    })));
    std::vector<std::string> all;
    for (auto const& setting : found.front().set) all.push_back(setting.where);
    return all;
}

TEST(UpstreamFindings, AreForTheServerThatIsRecognised) {
    EXPECT_THAT(places(ServerKind::prosody), ElementsAre("Prosody"));
    EXPECT_THAT(places(ServerKind::ejabberd),
                ElementsAre("ejabberd, at the listener of port 5222"));
    EXPECT_THAT(places(ServerKind::unknown),
                ElementsAre("Prosody", "ejabberd, at the listener of port 5222"));
}

// The one that is known from a second connection only.
TEST(UpstreamFindings, AreForTheServerThatAnyVisitRecognised) {
    auto const snapshot = testing::gate_before(with_v2);
    auto const found = judge(testing::examination(*snapshot, [](const VisitPlan& plan) {
        auto visit = wants_header(ProxyHeader::none, plan);
        if (visit.answered()) visit.answers.kind = ServerKind::ejabberd;
        return visit;
    }));
    EXPECT_THAT(all_of(found.front()), Not(HasSubstr("Prosody")));
}

TEST(UpstreamFindings, ANoteIsNoProblem) {
    auto const snapshot = testing::gate_before(with_v2);
    auto const found = judge(
        testing::examination(*snapshot, offering([](auto& offered) { offered.max_bytes = 8192; })));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().weight, Finding::Weight::note);
}

std::string facts_of(const std::string& upstream, const MakeVisit& server,
                     const std::string& registration = {}) {
    auto const snapshot = testing::gate_before(upstream, registration);
    std::string text;
    for (auto const& fact : facts(testing::examination(*snapshot, server))) text += fact + '\n';
    return text;
}

TEST(UpstreamFacts, TellWhatWasTried) {
    auto const text = facts_of(with_v2, welcome);
    EXPECT_THAT(text, HasSubstr("with a PROXY header (v2)"));
    EXPECT_THAT(text, HasSubstr("logs in by SCRAM-SHA-1, PLAIN"));
    EXPECT_THAT(text, HasSubstr("offers registration to 192.0.2.65"));
    EXPECT_THAT(text, HasSubstr("sends the form to a stranger (192.0.2.1), too"));
    EXPECT_THAT(facts_of(with_v2, welcome, "whitelist = []"), HasSubstr("no address may register"));
    EXPECT_EQ(facts_of(with_v2, always(End::silent)), "");
}

TEST(UpstreamFacts, NameTheServer) {
    auto const of_kind = [](ServerKind kind) {
        return facts_of(with_v2, answering([=](Visit& visit) { visit.answers.kind = kind; }));
    };
    EXPECT_THAT(of_kind(ServerKind::prosody), HasSubstr("by its stream, Prosody"));
    EXPECT_THAT(of_kind(ServerKind::ejabberd), HasSubstr("by its stream, ejabberd"));
    EXPECT_THAT(of_kind(ServerKind::unknown), HasSubstr("neither Prosody nor ejabberd"));
}

}  // namespace
}  // namespace stanzagate::proxy
