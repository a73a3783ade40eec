#include "proxy/registration_findings.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace stanzagate::proxy {
namespace {

using config::ProxyHeader;
using filters::RegistrationReply;

// How the server treats a client that may register.
enum class Treatment : std::uint8_t {
    offered,
    not_advertised,  // it answers, but clients that look at its features will not ask
    redirected,      // by itself
    not_offered,
    turned_away,  // before it could ask
    unknown,      // nobody can log in, which is found elsewhere
};

Treatment treatment_of(const Visit& visit, config::Advertise advertise) {
    if (!visit.answered()) return Treatment::turned_away;
    if (!visit.answers.asked_to_register) return Treatment::unknown;
    switch (visit.answers.registration) {
        case RegistrationReply::form: {
            // Otherwise the gate adds it or cuts it, whatever the server does.
            bool const as_it_comes = advertise == config::Advertise::automatic ||
                                     advertise == config::Advertise::upstream;
            return as_it_comes && !visit.answers.features->registration ? Treatment::not_advertised
                                                                        : Treatment::offered;
        }
        case RegistrationReply::redirect:
            return Treatment::redirected;
        case RegistrationReply::refused:
        case RegistrationReply::none:
            break;
    }
    return Treatment::not_offered;
}

std::string reply_in_words(const Visit& visit) {
    auto const& answers = visit.answers;
    if (!answers.stream_error.empty()) return "ends the stream with " + answers.stream_error;
    switch (answers.registration) {
        case RegistrationReply::form:
            return "brings the form";
        case RegistrationReply::redirect:
            return "brings a text or a link, and no form";
        case RegistrationReply::refused:
            return "is answered with the error " + answers.refusal;
        case RegistrationReply::none:
            break;
    }
    return "is not answered";
}

class RegistrationJudge {
public:
    RegistrationJudge(const Examination& seen, const AdviceFor& advice)
        : seen_(seen), advice_(advice) {}

    std::vector<Finding> findings() {
        auto const& first = seen_.as_configured();
        if (first.header == ProxyHeader::none) {
            if (first.answers.registration == RegistrationReply::form) open_to_the_gate(first);
            if (!seen_.target.examples.allowed.empty())
                look_at(treatment(first), first, "clients that the gate lets register");
        }
        for (auto const one : {Treatment::turned_away, Treatment::not_offered,
                               Treatment::redirected, Treatment::not_advertised})
            look_at_allowed(one);
        return std::move(findings_);
    }

private:
    Treatment treatment(const Visit& visit) const {
        return treatment_of(visit, seen_.target.host->registration.advertise);
    }
    void add(std::string_view id, std::string what, std::string seen, std::string why,
             Settings set) {
        findings_.push_back(Finding{Finding::Weight::problem, id, std::move(what), std::move(seen),
                                    std::move(why), std::move(set)});
    }
    void open_to_the_gate(const Visit& visit);
    void look_at_allowed(Treatment which);
    void look_at(Treatment which, const Visit& visit, const std::string& whom);

    const Examination& seen_;
    const AdviceFor& advice_;
    std::vector<Finding> findings_;
};

void RegistrationJudge::open_to_the_gate(const Visit& visit) {
    auto const gate = config::Address::parse(visit.gate);
    bool const loopback = gate && gate->is_loopback();
    auto set = at_server(ServerAdvice::listen_for_header, advice_);
    set.push_back(at_gate("[host.upstream]", {"proxy_protocol = \"v2\""}));
    for (auto& setting : at_server(ServerAdvice::limit_registration, advice_))
        set.push_back(std::move(setting));
    add("registration-open",
        loopback ? "registration is open to loopback"
                 : "registration is open to the gate's address",
        "no PROXY header is sent, and a request for the registration form " + reply_in_words(visit),
        "The server takes every client of the gate for " + visit.gate +
            ", so it cannot tell strangers from others, and its limits by address hold for all "
            "together: the gate's rules are the only guard, and whoever reaches the server from "
            "that address by another way may register.",
        std::move(set));
}

void RegistrationJudge::look_at_allowed(Treatment which) {
    const Visit* example = nullptr;
    std::string addresses;
    for (auto const& visit : seen_.allowed) {
        if (treatment(visit) != which) continue;
        if (example == nullptr) example = &visit;
        addresses += (addresses.empty() ? "" : ", ") + visit.source.to_string();
    }
    if (example != nullptr) look_at(which, *example, addresses);
}

void RegistrationJudge::look_at(Treatment which, const Visit& visit, const std::string& whom) {
    auto const asked =
        "for " + whom + ", a request for the registration form " + reply_in_words(visit);
    switch (which) {
        case Treatment::turned_away:
            add("turned-away", "the server turns some clients away",
                "it answers nothing that " + whom + " could use" +
                    (visit.answers.stream_error.empty()
                         ? std::string()
                         : ": stream error " + visit.answers.stream_error),
                "They may register, as the gate's rules have it, and cannot even log in.",
                at_server(ServerAdvice::admit_address, advice_));
            break;
        case Treatment::not_offered:
            add("registration-not-offered",
                "the server offers no registration to clients that may register", asked,
                "The gate forwards their requests, and the server refuses them.",
                at_server(ServerAdvice::offer_registration, advice_));
            break;
        case Treatment::redirected:
            add("redirected-by-server", "the server itself redirects clients that may register",
                asked,
                "The gate forwards their requests, and they are sent to a web page all the same.",
                at_server(ServerAdvice::no_redirect, advice_));
            break;
        case Treatment::not_advertised: {
            auto set = at_server(ServerAdvice::offer_registration, advice_);
            set.push_back(at_gate("[registration]",
                                  {"advertise = \"always\"  # if the server does register them"}));
            add("registration-not-advertised",
                "the server does not advertise registration to clients that may register",
                asked + ", but its features do not have <register/>",
                "Many clients (Gajim, Conversations) do not ask without it.", std::move(set));
            break;
        }
        case Treatment::offered:
        case Treatment::unknown:
            break;
    }
}

}  // namespace

std::vector<Finding> judge_registration(const Examination& seen, const AdviceFor& advice) {
    return RegistrationJudge(seen, advice).findings();
}

std::vector<std::string> registration_facts(const Examination& seen) {
    std::vector<std::string> lines;
    auto const& first = seen.as_configured();
    if (!first.answered()) return lines;
    auto const& examples = seen.target.examples;
    if (examples.allowed.empty()) {
        lines.emplace_back("by the gate's rules no address may register, so none was tried");
    }
    std::string offered;
    for (auto const& visit : seen.allowed)
        if (visit.answers.registration == RegistrationReply::form)
            offered += (offered.empty() ? "" : ", ") + visit.source.to_string();
    if (!offered.empty())
        lines.push_back("offers registration to " + offered + ", which may register" +
                        (examples.more_allowed ? "; other networks that may were not tried" : ""));
    if (first.header != ProxyHeader::none && examples.stranger && first.answers.asked_to_register)
        lines.push_back(first.answers.registration == RegistrationReply::form
                            ? "sends the form to a stranger (" + first.source.to_string() +
                                  "), too: the gate's rules decide, and what the server says to "
                                  "the form itself is not tried"
                            : "sends no form to a stranger (" + first.source.to_string() + ")");
    return lines;
}

}  // namespace stanzagate::proxy
