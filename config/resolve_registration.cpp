// Lays [host.registration] over [registration] and checks that what comes out can answer a
// client. What Prosody's mod_register_redirect answers with internal-server-error is an error here.
#include <algorithm>
#include <array>
#include <string>

#include "config/readers.hpp"
#include "config/rule_keys.hpp"

namespace stanzagate::config {
namespace {

// Urls for which a text can be generated.
bool has_generated_text(const RegistrationUrl& url) {
    constexpr std::array<std::string_view, 4> schemes{"http", "https", "mailto", "xmpp"};
    return std::ranges::find(schemes, url.scheme) != schemes.end();
}

template <class T>
bool is_wrong(const std::optional<Given<T>>& given) {
    return given && !given->value;
}

bool has_admin(const RegistrationKeys& keys) {
    const auto* admins = value_of(keys.admins);
    return admins != nullptr && !admins->empty();
}

Registration values(const RegistrationKeys& keys) {
    Registration result;
    result.whitelist = {*Network::parse("127.0.0.1"), *Network::parse("::1")};
    if (const auto* whitelist = value_of(keys.whitelist)) result.whitelist = *whitelist;
    if (const auto* url = value_of(keys.url)) result.url = url->text;
    if (const auto* text = value_of(keys.text)) result.text = *text;
    if (const auto* oob = value_of(keys.oob)) result.oob = *oob;
    if (const auto* admins = value_of(keys.admins)) result.admins = *admins;
    if (const auto* refusal = value_of(keys.refusal)) result.refusal = *refusal;
    if (const auto* advertise = value_of(keys.advertise)) result.advertise = *advertise;
    return result;
}

}  // namespace

RegistrationKeys merge(const RegistrationKeys& below, const RegistrationKeys& above) {
    RegistrationKeys merged = below;
    const auto override_with = [](auto& to, const auto& from) {
        if (from) to = from;
    };
    override_with(merged.whitelist, above.whitelist);
    override_with(merged.url, above.url);
    override_with(merged.text, above.text);
    override_with(merged.oob, above.oob);
    override_with(merged.refusal, above.refusal);
    override_with(merged.advertise, above.advertise);
    override_with(merged.admins, above.admins);
    override_with(merged.rules, above.rules);
    return merged;
}

std::optional<Diagnostic> find_fault(const RegistrationKeys& keys, const Position& nowhere) {
    if (is_wrong(keys.url) || is_wrong(keys.text) || is_wrong(keys.oob) || is_wrong(keys.admins))
        return std::nullopt;
    const bool with_url = !keys.oob || *keys.oob->value;
    if (keys.text) return std::nullopt;
    if (keys.url && with_url) {
        if (has_generated_text(*keys.url->value)) return std::nullopt;
        return Diagnostic{Severity::error, keys.url->where,
                          keys.url->key + ": " + in_quotes(keys.url->value->written) +
                              " needs a text beside it; without one only http, https, mailto and "
                              "xmpp urls can be answered with"};
    }
    if (has_admin(keys)) return std::nullopt;
    if (keys.url)
        return Diagnostic{Severity::error, keys.oob->where,
                          keys.oob->key +
                              ": without the url the generated text names an admin, and there is "
                              "none; set admins or text, or leave oob true"};
    if (keys.admins)
        return Diagnostic{Severity::error, keys.admins->where,
                          keys.admins->key +
                              ": names nobody, and nothing else is there to answer a registration "
                              "with; set url, text or admins"};
    return Diagnostic{Severity::error, keys.table.value_or(nowhere),
                      "registration: nothing to answer a registration with; set url, text or "
                      "admins in [registration] or in [host.registration]"};
}

std::optional<Diagnostic> find_doubt(const RegistrationKeys& keys) {
    const auto* texts = value_of(keys.text);
    if (keys.url || texts == nullptr) return std::nullopt;
    const bool names_url = std::ranges::any_of(
        *texts, [](const auto& text) { return text.second.uses(TextTemplate::Placeholder::url); });
    if (!names_url) return std::nullopt;
    return Diagnostic{Severity::warning, keys.text->where,
                      keys.text->key + ": {url} stands for nothing, since no url is set"};
}

void report_once(std::optional<Diagnostic> found, Diagnostics& diagnostics) {
    if (!found) return;
    const bool known = std::ranges::any_of(diagnostics.all(), [&](const Diagnostic& other) {
        return other.where == found->where && other.message == found->message;
    });
    if (!known) diagnostics.add(std::move(*found));
}

void resolve_registration(Config& config, const RegistrationKeys& global,
                          const std::vector<HostKeys>& hosts, const Reading& reading) {
    Diagnostics& diagnostics = reading.diagnostics;
    std::vector<RegistrationKeys> merged;
    for (const HostKeys& keys : hosts) {
        merged.push_back(merge(global, keys.registration));
        report_once(find_fault(merged.back(), keys.where), diagnostics);
        report_once(find_doubt(merged.back()), diagnostics);
        config.hosts.push_back(keys.host);
        config.hosts.back().registration = values(merged.back());
    }
    config.index_hosts();
    if (hosts.empty() && global.table) report_once(find_fault(global, *global.table), diagnostics);
    config.registration = values(global);
    // Where this is an error, the hosts have reported it. Otherwise each of them makes up for what
    // is missing here, and a url no text can be generated for must not reach the gate.
    if (find_fault(global, {})) config.registration.url.reset();
    resolve_rules(config, global, merged, reading);
}

}  // namespace stanzagate::config
