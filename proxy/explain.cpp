#include "proxy/explain.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "filters/gate.hpp"
#include "filters/jid.hpp"
#include "filters/registration.hpp"

namespace stanzagate::proxy {
namespace {

// What there is to know without asking anybody.
class WorldAtRest final : public filters::World {
public:
    explicit WorldAtRest(const Countries* countries) : countries_(countries) {}

    std::chrono::system_clock::time_point now() const override {
        return std::chrono::system_clock::now();
    }
    std::string country(const config::Address& address) const override {
        return countries_ ? countries_->of(address) : std::string();
    }
    std::optional<bool> listed(std::string_view) const override { return false; }
    bool quota_holds(const config::Rule&, const filters::QuotaClient&) const override {
        return true;
    }
    std::optional<filters::Reservation> reserve(const config::Rule&,
                                                const filters::QuotaClient&) override {
        return std::nullopt;
    }
    void commit(filters::Reservation) override {}
    void cancel(filters::Reservation) override {}
    std::optional<filters::Invitation> show_invitation(std::string_view,
                                                       std::string_view) override {
        return std::nullopt;
    }
    bool begin(filters::Invitation&) override { return true; }
    void end(filters::Invitation&, bool) override {}
    void give_back(filters::Invitation) override {}

private:
    const Countries* countries_;
};

template <typename Range, typename ToText>
std::string in_brackets(const Range& values, ToText to_text) {
    std::string text = "[";
    for (auto const& value : values) {
        if (text.size() > 1) text += ", ";
        text += to_text(value);
    }
    return text + ']';
}

std::string addresses(const config::AddressMatch& match, const config::Config& config) {
    auto text =
        in_brackets(match.networks, [](auto const& network) { return network.to_string(); });
    for (auto const list : match.lists) {
        text.pop_back();
        if (text.size() > 1) text += ", ";
        text += '@' + config.lists[list].name + ']';
    }
    return text;
}

// Why the key does not hold, in the words of the rule.
std::string why_not(const config::Rule& rule, filters::MatchKey key, const Question& question,
                    const DecidedBy& by, const filters::World& world) {
    using filters::MatchKey;
    auto const from = question.from.to_string();
    switch (key) {
        case MatchKey::host:
            return question.host + " is none of " +
                   in_brackets(rule.hosts, [](auto const& host) { return host.to_string(); });
        case MatchKey::transport:
            return std::string(filters::to_string(question.transport)) + " is none of " +
                   in_brackets(rule.transports, [](auto const transport) {
                       return std::string(filters::to_string(transport));
                   });
        case MatchKey::invited:
            return question.invited ? "the client is invited" : "the client is not invited";
        case MatchKey::from:
            return from + " is not in " + addresses(*rule.from, by.config);
        case MatchKey::not_from:
            return from + " is in " + addresses(*rule.not_from, by.config);
        case MatchKey::during:
            return "it is not \"" + rule.during->to_string() + "\" now";
        case MatchKey::country: {
            auto const country = world.country(question.from);
            return (country.empty() ? from + " is in no known country, so in none of "
                                    : from + " is in " + country + ", which is none of ") +
                   in_brackets(rule.countries, [](auto const& name) { return name; });
        }
        case MatchKey::dnsbl:
            return "not asked: explain uses no network, and takes " + from +
                   " for not listed in any of " +
                   in_brackets(rule.dns_lists, [](auto const& zone) { return zone; });
        case MatchKey::quota:
            return "it is spent";
    }
    return {};
}

std::vector<std::string> describe(const std::vector<filters::Step>& steps,
                                  const filters::Decision& decision, const Question& question,
                                  const DecidedBy& by, const filters::World& world) {
    std::vector<std::string> lines;
    for (auto const& [rule, failed] : steps) {
        auto& line = lines.emplace_back(rule->name);
        line += ": ";
        if (failed)
            line += "no match: " + std::string(filters::to_string(*failed)) + ": " +
                    why_not(*rule, *failed, question, by, world);
        else
            line += rule->quota
                        ? "matches; quota: not asked: explain uses no network, and takes it "
                          "for unspent"
                        : "matches";
    }
    if (decision.decided_by) return lines;
    auto const* const host = by.config.find_host(filters::domain_of(question.host));
    if (!host) {
        lines.emplace_back("whitelist: no [[host]] has this name, so only the default decides");
    } else {
        lines.push_back("whitelist: " + question.from.to_string() +
                        (decision.rule == "whitelist" ? " is in " : " is not in ") +
                        in_brackets(host->registration.whitelist,
                                    [](auto const& network) { return network.to_string(); }));
    }
    if (decision.rule == "default") lines.emplace_back("default: matches whatever no rule matched");
    return lines;
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

Explanation explain(const DecidedBy& by, const Question& question) {
    filters::Policy const policy(by.config, by.lists);
    WorldAtRest const world(by.countries);
    filters::Peer const peer{question.from, question.transport};
    auto const host = filters::domain_of(question.host);
    std::vector<filters::Step> steps;
    auto const decision = policy.decide({.host = host,
                                         .other_domain = std::nullopt,
                                         .peer = peer,
                                         .kind = question.request,
                                         .invited_to = question.invited ? host : ""},
                                        world, &steps);
    Explanation explanation;
    explanation.rule = decision.rule;
    explanation.action = decision.action;
    if (decision.decided_by) explanation.delay = decision.decided_by->delay;
    explanation.steps = describe(steps, decision, question, by, world);
    if (!by.config.find_host(host))
        explanation.warning = "no [[host]] serves " + config::in_quotes(host) +
                              ": a stream to it gets host-unknown. The decision is that of a "
                              "request to it on the stream of a host that is served";
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
    if (explanation.delay.count() != 0)
        text += ", after " + std::to_string(explanation.delay.count()) + " ms";
    text += '\n';
    if (explanation.reply) text += *explanation.reply + '\n';
    return text;
}

std::string as_json(const Explanation& explanation) {
    boost::json::object object;
    object["rule"] = explanation.rule;
    object["action"] = filters::to_string(explanation.action);
    // What ends the stream answers no request.
    if (explanation.reply && explanation.action != filters::Action::close)
        object["reply"] = *explanation.reply;
    else
        object["reply"] = nullptr;
    return boost::json::serialize(object) + '\n';
}

}  // namespace stanzagate::proxy
