#include "proxy/explain.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "filters/gate.hpp"
#include "filters/jid.hpp"
#include "filters/registration.hpp"

namespace stanzagate::proxy {
namespace {

std::string whitelist_step(const config::Host* host, const config::Address& from, bool matched) {
    if (!host) return "whitelist: no [[host]] has this name, so only the default decides";
    std::string step = "whitelist: ";
    step += from.to_string();
    step += matched ? " is in " : " is not in ";
    step += '[';
    for (auto const& network : host->registration.whitelist) {
        if (step.back() != '[') step += ", ";
        step += network.to_string();
    }
    step += ']';
    return step;
}

std::string reply_to(const Question& question, const filters::Decision& decision,
                     const filters::Peer& peer, const std::string& host) {
    filters::RegistrationRequest request;
    request.kind = question.request;
    request.id = "1";
    request.to = host;
    return filters::answer(request, decision, {host, question.lang, peer});
}

}  // namespace

Explanation explain(const config::Config& config, const Question& question) {
    filters::Policy const policy(config);
    filters::Peer const peer{question.from, question.transport};
    auto const host = filters::domain_of(question.host);
    auto const decision = policy.decide(
        {.host = host, .other_domain = std::nullopt, .peer = peer, .kind = question.request});

    Explanation explanation;
    explanation.rule = decision.rule;
    explanation.action = decision.action;
    bool const whitelisted = decision.rule == "whitelist";
    explanation.steps.push_back(whitelist_step(config.find_host(host), question.from, whitelisted));
    if (!whitelisted) explanation.steps.emplace_back("default: matches whatever no rule matched");
    switch (decision.action) {
        case filters::Action::forward:
            break;
        case filters::Action::close:
            explanation.reply =
                filters::stream_error(filters::StreamErrorCondition::policy_violation);
            break;
        case filters::Action::redirect:
        case filters::Action::refuse:
            explanation.reply = reply_to(question, decision, peer, host);
            break;
    }
    return explanation;
}

std::string as_text(const Explanation& explanation) {
    std::string text;
    for (auto const& step : explanation.steps) text += step + '\n';
    text += "decided by ";
    text += explanation.rule;
    text += ": ";
    text += filters::to_string(explanation.action);
    text += '\n';
    if (explanation.reply) text += *explanation.reply + '\n';
    return text;
}

std::string as_json(const Explanation& explanation) {
    boost::json::object object;
    object["rule"] = explanation.rule;
    object["action"] = filters::to_string(explanation.action);
    if (explanation.reply)
        object["reply"] = *explanation.reply;
    else
        object["reply"] = nullptr;
    return boost::json::serialize(object) + '\n';
}

}  // namespace stanzagate::proxy
