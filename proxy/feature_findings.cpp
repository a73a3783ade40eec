#include "proxy/feature_findings.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace stanzagate::proxy {
namespace {

using config::UpstreamScheme;

constexpr std::string_view upstream_table = "[host.upstream]";
// What every server must take (RFC 6120 section 13.12).
constexpr std::size_t least_stanza = 10000;

class FeatureJudge {
public:
    FeatureJudge(const filters::OfferedFeatures& offered, const config::UpstreamAddress& address,
                 const AdviceFor& advice)
        : offered_(offered), address_(address), advice_(advice) {}

    std::vector<Finding> findings() {
        features();
        return std::move(findings_);
    }

private:
    Finding& problem(std::string_view id, std::string what, std::string seen, std::string why,
                     Settings set) {
        return findings_.emplace_back(Finding{Finding::Weight::problem, id, std::move(what),
                                              std::move(seen), std::move(why), std::move(set)});
    }
    bool plaintext() const { return address_.scheme == UpstreamScheme::tcp; }
    void features();
    void no_login();
    void channel_binding();

    const filters::OfferedFeatures& offered_;
    const config::UpstreamAddress& address_;
    const AdviceFor& advice_;
    std::vector<Finding> findings_;
};

void FeatureJudge::features() {
    if (offered_.mechanisms.empty()) no_login();
    channel_binding();
    auto const& mechanisms = offered_.mechanisms;
    if (std::find(mechanisms.begin(), mechanisms.end(), "EXTERNAL") != mechanisms.end())
        problem("external", "the server offers SASL EXTERNAL", "mechanisms: EXTERNAL",
                "It means a client certificate, and those end at the gate: clients that try it "
                "fail, or are all taken for one user.",
                at_server(ServerAdvice::no_external, advice_));
    if (offered_.compression)
        problem("compression", "the server offers stream compression (XEP-0138)",
                "<compression/> in its features",
                "The gate cuts it out before login, since it could not read the stream; it is "
                "obsolete, and gives away what TLS hides.",
                at_server(ServerAdvice::no_compression, advice_));
    if (offered_.max_bytes && *offered_.max_bytes < least_stanza) {
        auto const size = std::to_string(*offered_.max_bytes);
        auto& finding = problem(
            "stanza-size", "the server takes smaller stanzas than every server must",
            "<max-bytes>" + size + "</max-bytes> (XEP-0478)",
            "RFC 6120 section 13.12 asks for 10000 bytes. The gate tells clients the smaller "
            "size, but lets stanzas of up to limits.stanza_size pass, at which the server ends "
            "the stream.",
            with_stanza_size(least_stanza, advice_));
        finding.weight = Finding::Weight::note;
    }
}

void FeatureJudge::no_login() {
    if (plaintext() && offered_.starttls) {
        auto set = at_server(ServerAdvice::trust_leg, advice_);
        set.push_back(
            at_gate(upstream_table, {address_line(address_, UpstreamScheme::starttls) +
                                     "  # or this; see \"Encrypted legs\" in docs/servers.md"}));
        problem("starttls-required", "the server demands STARTTLS on this leg",
                offered_.starttls_required ? "<starttls/> with <required/>, and no way to log in"
                                           : "<starttls/>, and no way to log in without it",
                "The gate has ended TLS and speaks in the clear here: nobody can log in.",
                std::move(set));
        return;
    }
    problem("no-mechanisms", "the server offers no way to log in",
            "no SASL mechanism in its features",
            plaintext() ? "It does not take this leg for secure: nobody can log in."
                        : "Nobody can log in. The server's log may say why.",
            at_server(plaintext() ? ServerAdvice::trust_leg : ServerAdvice::offer_login, advice_));
}

void FeatureJudge::channel_binding() {
    std::vector<std::string> bound;
    std::copy_if(offered_.mechanisms.begin(), offered_.mechanisms.end(), std::back_inserter(bound),
                 [](auto const& name) { return name.ends_with("-PLUS"); });
    if (bound.empty() && !offered_.channel_binding_types) return;
    std::string list;
    for (auto const& name : bound) list += (list.empty() ? "mechanisms: " : ", ") + name;
    if (offered_.channel_binding_types)
        list += std::string(list.empty() ? "" : "; ") + "channel-binding types (XEP-0440)";
    Settings set;
    if (!plaintext())
        set.push_back(at_gate(upstream_table, {address_line(address_, UpstreamScheme::tcp) +
                                               "  # over loopback or a network of your own"}));
    if (plaintext() && bound.empty())
        bound = {"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS"};
    if (!bound.empty())
        for (auto& setting : without_mechanisms(bound, advice_)) set.push_back(std::move(setting));
    problem("channel-binding", "the server offers channel binding", std::move(list),
            "It would bind a login to the TLS connection between the gate and the server, which "
            "no client sees: clients that support it cannot log in. On a leg in the clear servers "
            "do not offer it.",
            std::move(set));
}

}  // namespace

std::vector<Finding> judge_features(const filters::OfferedFeatures& offered,
                                    const config::UpstreamAddress& address,
                                    const AdviceFor& advice) {
    return FeatureJudge(offered, address, advice).findings();
}

std::string address_line(config::UpstreamAddress address, UpstreamScheme scheme) {
    address.scheme = scheme;
    return "address = \"" + address.to_string() + '"';
}

}  // namespace stanzagate::proxy
