// Lays [host.registration] over [registration] and checks that what comes out can answer a
// client. What Prosody's mod_register_redirect answers with internal-server-error is an error here.
#include <algorithm>
#include <array>
#include <string>

#include "config/readers.hpp"

namespace stanzagate::config {
namespace {

// Urls for which a text can be generated.
bool has_generated_text(const RegistrationUrl& url) {
    constexpr std::array<std::string_view, 4> schemes{"http", "https", "mailto", "xmpp"};
    return std::ranges::find(schemes, url.scheme) != schemes.end();
}

template <class T>
const T* value_of(const std::optional<Given<T>>& given) {
    return given && given->value ? &*given->value : nullptr;
}

template <class T>
bool is_wrong(const std::optional<Given<T>>& given) {
    return given && !given->value;
}

bool has_admin(const RegistrationKeys& keys) {
    const auto* admins = value_of(keys.admins);
    return admins != nullptr && !admins->empty();
}

RegistrationKeys merge(const RegistrationKeys& global, const RegistrationKeys& host) {
    RegistrationKeys merged = global;
    const auto override_with = [](auto& to, const auto& from) {
        if (from) to = from;
    };
    override_with(merged.whitelist, host.whitelist);
    override_with(merged.url, host.url);
    override_with(merged.text, host.text);
    override_with(merged.oob, host.oob);
    override_with(merged.refusal, host.refusal);
    override_with(merged.advertise, host.advertise);
    // A host without admins of its own has the global ones, also where it says admins = [].
    if (has_admin(host) || is_wrong(host.admins)) merged.admins = host.admins;
    return merged;
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

// Why these keys together cannot answer a client; nullopt where they can, or where one of them is
// wrong anyway. `nowhere` is the place to point at where no key is to blame.
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
    return Diagnostic{Severity::error, keys.table.value_or(nowhere),
                      "registration: nothing to answer a registration with; set url, text or "
                      "admins in [registration] or in [host.registration]"};
}

// A text that speaks of a url that is not there.
std::optional<Diagnostic> find_doubt(const RegistrationKeys& keys) {
    const auto* texts = value_of(keys.text);
    if (keys.url || texts == nullptr) return std::nullopt;
    const bool names_url = std::ranges::any_of(
        *texts, [](const auto& text) { return text.second.uses(TextTemplate::Placeholder::url); });
    if (!names_url) return std::nullopt;
    return Diagnostic{Severity::warning, keys.text->where,
                      keys.text->key + ": {url} stands for nothing, since no url is set"};
}

// Many hosts can share one fault of the global table.
void report_once(std::optional<Diagnostic> found, Diagnostics& diagnostics) {
    if (!found) return;
    const bool known = std::ranges::any_of(diagnostics.all(), [&](const Diagnostic& other) {
        return other.where == found->where && other.message == found->message;
    });
    if (!known) diagnostics.add(std::move(*found));
}

}  // namespace

void resolve_registration(Config& config, const RegistrationKeys& global,
                          const std::vector<HostKeys>& hosts, Diagnostics& diagnostics) {
    for (const HostKeys& keys : hosts) {
        const RegistrationKeys merged = merge(global, keys.registration);
        report_once(find_fault(merged, keys.where), diagnostics);
        report_once(find_doubt(merged), diagnostics);
        config.hosts.push_back(keys.host);
        config.hosts.back().registration = values(merged);
    }
    config.index_hosts();
    if (hosts.empty() && global.table) report_once(find_fault(global, *global.table), diagnostics);
    config.registration = values(global);
    // Where this is an error, the hosts have reported it. Otherwise each of them makes up for what
    // is missing here, and a url no text can be generated for must not reach the gate.
    if (find_fault(global, {})) config.registration.url.reset();
}

}  // namespace stanzagate::config
