#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/proxy/finding_cases.hpp"

// What judge() says of features and of registration, at a server that answers.
namespace stanzagate::proxy {
namespace {

using config::ProxyHeader;
using testing::answering;
using testing::direct_tls;
using testing::FindingCase;
using testing::in_the_clear;
using testing::offering;
using testing::RegistrationReply;
using testing::stream_error;
using testing::wants_header;
using testing::welcome;
using testing::with_v2;

// A server that treats those who may register otherwise.
MakeVisit for_allowed(const std::function<void(Visit&)>& change) {
    return [change](const VisitPlan& plan) {
        auto visit = welcome(plan);
        if (plan.source.address == *config::Address::parse("192.0.2.65")) change(visit);
        return visit;
    };
}

class OfferFindings : public ::testing::TestWithParam<FindingCase> {};

TEST_P(OfferFindings, AreThese) {
    testing::expect_findings(GetParam());
}

std::vector<FindingCase> its_features() {
    auto const required = answering([](Visit& visit) {
        auto& features = *visit.answers.features;
        features = {};
        features.starttls = features.starttls_required = true;
        visit.answers.asked_to_register = false;
        visit.answers.registration = RegistrationReply::none;
    });
    auto const nothing = answering([](Visit& visit) {
        visit.answers.features->mechanisms.clear();
        visit.answers.asked_to_register = false;
        visit.answers.registration = RegistrationReply::none;
    });
    return {
        {"starttls_required", with_v2, required, {"starttls-required"}, "starttls_required: false"},
        {"no_mechanisms", with_v2, nothing, {"no-mechanisms"}, "secure_interfaces"},
        {"starttls_offered",
         with_v2,
         offering([](auto& offered) { offered.starttls = true; }),
         {},
         ""},
        {"compression",
         with_v2,
         offering([](auto& offered) { offered.compression = true; }),
         {"compression"},
         "zlib: false"},
        {"external",
         with_v2,
         offering([](auto& offered) { offered.mechanisms.emplace_back("EXTERNAL"); }),
         {"external"},
         "disable_sasl_mechanisms: [\"EXTERNAL\"]"},
        {"plus",
         direct_tls,
         offering([](auto& offered) { offered.mechanisms.emplace_back("SCRAM-SHA-256-PLUS"); }),
         {"channel-binding"},
         "address = \"tcp://127.0.0.2:5223\""},
        {"plus_in_the_clear",
         with_v2,
         offering([](auto& offered) { offered.mechanisms.emplace_back("SCRAM-SHA-256-PLUS"); }),
         {"channel-binding"},
         "disable_sasl_mechanisms: [\"SCRAM-SHA-256-PLUS\"]"},
        {"types_alone",
         direct_tls,
         offering([](auto& offered) { offered.channel_binding_types = true; }),
         {"channel-binding"},
         "channel-binding types"},
        {"types_alone_in_the_clear",
         with_v2,
         offering([](auto& offered) { offered.channel_binding_types = true; }),
         {"channel-binding"},
         "\"SCRAM-SHA-256-PLUS\""},
        {"no_mechanisms_inside_tls", direct_tls, nothing, {"no-mechanisms"}, "auth_method"},
        {"small_stanzas",
         with_v2,
         offering([](auto& offered) { offered.max_bytes = 9999; }),
         {"stanza-size"},
         "c2s_unauthed_stanza_size_limit = 10000"},
        {"stanzas_as_the_rfc_has_it",
         with_v2,
         offering([](auto& offered) { offered.max_bytes = 10000; }),
         {},
         ""},
        {"all_of_it",
         with_v2,
         offering([](auto& offered) {
             offered.compression = true;
             offered.mechanisms = {"EXTERNAL", "SCRAM-SHA-1-PLUS"};
         }),
         {"channel-binding", "external", "compression"},
         ""},
        {"without_the_header_that_is_not_taken",
         with_v2,
         [](const VisitPlan& plan) {
             auto visit = wants_header(ProxyHeader::none, plan);
             if (visit.answered()) visit.answers.features->compression = true;
             return visit;
         },
         {"proxy-header-not-taken", "compression"},
         ""},
    };
}
INSTANTIATE_TEST_SUITE_P(Features, OfferFindings, ::testing::ValuesIn(its_features()),
                         [](auto const& suite) { return suite.param.name; });

std::vector<FindingCase> registration() {
    auto const refused = [](Visit& visit) {
        visit.answers.registration = RegistrationReply::refused;
        visit.answers.refusal = "service-unavailable";
    };
    auto const redirected = [](Visit& visit) {
        visit.answers.registration = RegistrationReply::redirect;
    };
    auto const not_advertised = [](Visit& visit) { visit.answers.features->registration = false; };
    auto const thrown_out = [](Visit& visit) {
        visit.answers.registration = RegistrationReply::none;
        visit.answers.stream_error = "not-authorized";
    };
    return {
        {"open_to_loopback", in_the_clear, welcome, {"registration-open"}, "open to loopback"},
        {"open_to_the_gate",
         in_the_clear,
         answering([](Visit& visit) { visit.gate = "198.51.100.7"; }),
         {"registration-open"},
         "takes every client of the gate for 198.51.100.7"},
        {"closed_to_the_gate_and_nobody_may",
         in_the_clear,
         answering(refused),
         {},
         "",
         "whitelist = []"},
        {"closed_to_the_gate",
         in_the_clear,
         answering(refused),
         {"registration-not-offered"},
         "service-unavailable"},
        {"not_offered_to_the_allowed",
         with_v2,
         for_allowed(refused),
         {"registration-not-offered"},
         "for 192.0.2.65"},
        {"not_offered_to_strangers",
         with_v2,
         [=](const VisitPlan& plan) {
             auto visit = welcome(plan);
             if (plan.source.address == *config::Address::parse("192.0.2.1")) refused(visit);
             return visit;
         },
         {},
         ""},
        {"thrown_out_for_asking",
         with_v2,
         for_allowed(thrown_out),
         {"registration-not-offered"},
         "ends the stream with not-authorized"},
        {"redirected_by_the_server",
         with_v2,
         for_allowed(redirected),
         {"redirected-by-server"},
         "redirect_url"},
        {"not_advertised",
         with_v2,
         for_allowed(not_advertised),
         {"registration-not-advertised"},
         "advertise = \"always\""},
        {"advertised_by_the_gate",
         with_v2,
         for_allowed(not_advertised),
         {},
         "",
         "advertise = \"always\""},
        {"allowed_are_turned_away",
         with_v2,
         [](const VisitPlan& plan) {
             return plan.source.address == *config::Address::parse("192.0.2.65")
                        ? stream_error(plan, "policy-violation")
                        : welcome(plan);
         },
         {"turned-away"},
         "192.0.2.65"},
    };
}
INSTANTIATE_TEST_SUITE_P(Registration, OfferFindings, ::testing::ValuesIn(registration()),
                         [](auto const& suite) { return suite.param.name; });

}  // namespace
}  // namespace stanzagate::proxy
