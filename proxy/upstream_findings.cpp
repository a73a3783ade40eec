#include "proxy/upstream_findings.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/feature_findings.hpp"
#include "proxy/registration_findings.hpp"

namespace stanzagate::proxy {
namespace {

using config::ProxyHeader;
using config::UpstreamScheme;
using End = Visit::End;
using Weight = Finding::Weight;

constexpr std::string_view upstream_table = "[host.upstream]";
constexpr std::string_view nobody_gets_in =
    "The gate passes it over; where no other address works, clients get internal-server-error.";

std::string to_text(ProxyHeader header) {
    switch (header) {
        case ProxyHeader::none:
            return "none";
        case ProxyHeader::v1:
            return "v1";
        case ProxyHeader::v2:
            return "v2";
    }
    return {};
}

std::string with_header(ProxyHeader header) {
    return header == ProxyHeader::none ? "without a PROXY header"
                                       : "with a PROXY header (" + to_text(header) + ")";
}

// What a connection came to, in words.
std::string came_to(const Visit& visit) {
    switch (visit.end) {
        case End::answered:
            return "it answers";
        case End::stream_error:
            return "stream error " + visit.answers.stream_error;
        case End::no_xmpp:
            return "what answers speaks no XMPP";
        case End::closed:
            return "it closes the connection without a word";
        case End::silent:
            return "it says nothing";
        case End::no_such_name:
        case End::not_connected:
        case End::starttls_failed:
        case End::tls_failed:
        case End::certificate_refused:
            return visit.words;
    }
    return {};
}

std::string how_it_went(const Visit& visit) {
    return with_header(visit.header) + ": " + came_to(visit);
}

// Every visit has met the same server, and some of them may not have got far enough to know it.
AdviceFor advice_for(const Examination& seen) {
    AdviceFor one;
    one.host = seen.target.name;
    one.port = seen.target.address.port;
    auto const learn = [&](const Visit& visit) {
        if (one.server == filters::ServerKind::unknown) one.server = visit.answers.kind;
        if (one.server_address.empty()) one.server_address = visit.server;
        if (one.gate_address.empty()) one.gate_address = visit.gate;
    };
    learn(seen.as_configured());
    learn(seen.first);
    for (auto const& visit : seen.other_headers) learn(visit);
    if (seen.in_clear) learn(*seen.in_clear);
    if (one.server_address.empty()) one.server_address = "127.0.0.1";
    if (one.gate_address.empty()) one.gate_address = "THE GATE'S ADDRESS";
    return one;
}

class Judge {
public:
    explicit Judge(const Examination& seen)
        : seen_(seen), upstream_(seen.target.host->upstream), advice_(advice_for(seen)) {}

    std::vector<Finding> findings() {
        if (seen_.first.end == End::certificate_refused) certificate();
        auto const* const otherwise = seen_.read_otherwise();
        if (otherwise != nullptr) header(otherwise->header);
        if (auto const* const visit = seen_.answered()) {
            append(judge_features(*visit->answers.features, seen_.target.address, advice_));
            if (seen_.as_configured().answered()) append(judge_registration(seen_, advice_));
        } else if (otherwise != nullptr) {
            stream_error(*otherwise);
        } else {
            no_answer();
        }
        return std::move(findings_);
    }

private:
    Finding& problem(std::string_view id, std::string what, std::string seen, std::string why,
                     Settings set) {
        return findings_.emplace_back(Finding{Weight::problem, id, std::move(what), std::move(seen),
                                              std::move(why), std::move(set)});
    }
    void append(std::vector<Finding> more) {
        std::move(more.begin(), more.end(), std::back_inserter(findings_));
    }
    Settings server(ServerAdvice advice) const { return at_server(advice, advice_); }
    Settings server_or_gate(ServerAdvice advice, std::string line) const {
        auto set = server(advice);
        set.push_back(at_gate(upstream_table, {std::move(line)}));
        return set;
    }

    void no_answer();
    void not_connected();
    void certificate();
    void no_tls(const Visit& visit);
    void stream_error(const Visit& visit);
    void header(ProxyHeader works);

    const Examination& seen_;
    const config::Upstream& upstream_;
    AdviceFor advice_;
    std::vector<Finding> findings_;
};

void Judge::no_answer() {
    auto const& visit = seen_.as_configured();
    // In the clear it may have said more than that there will be no TLS.
    auto const& telling =
        seen_.in_clear && seen_.in_clear->does_not_know_host() ? *seen_.in_clear : visit;
    switch (telling.end) {
        case End::no_such_name:
            problem("no-such-name", "the server's name is not known",
                    seen_.target.address.host + ": " + visit.words, std::string(nobody_gets_in),
                    {at_gate(upstream_table, {"address = \"tcp://ADDRESS:" +
                                              std::to_string(seen_.target.address.port) + '"'})});
            break;
        case End::not_connected:
            return not_connected();
        case End::starttls_failed:
        case End::tls_failed:
            return no_tls(telling);
        case End::stream_error:
            return stream_error(telling);
        case End::no_xmpp:
        case End::closed:
        case End::silent: {
            auto all = how_it_went(visit);
            for (auto const& other : seen_.other_headers) all += "; " + how_it_went(other);
            problem("no-answer", "no XMPP server answers there", std::move(all),
                    std::string(nobody_gets_in),
                    server_or_gate(upstream_.proxy_protocol == ProxyHeader::none
                                       ? ServerAdvice::listen
                                       : ServerAdvice::listen_for_header,
                                   "address = \"tcp://ADDRESS:PORT\""));
            break;
        }
        case End::answered:
        case End::certificate_refused:
            break;
    }
}

void Judge::not_connected() {
    problem("not-connected", "the server cannot be reached",
            seen_.target.address.to_string() + ": " + seen_.first.words,
            std::string(nobody_gets_in),
            server_or_gate(upstream_.proxy_protocol == ProxyHeader::none
                               ? ServerAdvice::listen
                               : ServerAdvice::listen_for_header,
                           "address = \"tcp://ADDRESS:PORT\""));
}

void Judge::certificate() {
    auto const& words = seen_.first.words;
    auto const names =
        seen_.unverified ? seen_.unverified->certificate_names : std::vector<std::string>{};
    auto const wanted = upstream_.name.empty() ? seen_.target.name : upstream_.name;
    auto text = "OpenSSL: " + words + ". Wanted was a certificate for " + wanted;
    for (auto const& name : names)
        text += (&name == &names.front() ? "; this one is for " : ", ") + name;
    std::vector<std::string> lines;
    if (words.find("mismatch") != std::string::npos) {
        lines.push_back("name = \"" + (names.empty() ? "THE CERTIFICATE'S NAME" : names.front()) +
                        '"');
    } else if (words.find("expired") == std::string::npos) {
        lines.emplace_back(
            "ca = \"FILE.pem\"  # with what issued the certificate, or the certificate itself");
    }
    lines.emplace_back("verify = false  # only where the network between is yours alone");
    problem("certificate-refused", "the server's certificate is not accepted", std::move(text),
            std::string(nobody_gets_in), {at_gate(upstream_table, std::move(lines))});
}

void Judge::no_tls(const Visit& visit) {
    bool const direct = seen_.target.address.scheme == UpstreamScheme::tls;
    Settings set;
    if (!direct) set = server(ServerAdvice::offer_starttls);
    set.push_back(at_gate(upstream_table,
                          {address_line(seen_.target.address,
                                        direct ? UpstreamScheme::starttls : UpstreamScheme::tls),
                           address_line(seen_.target.address, UpstreamScheme::tcp) +
                               "  # or this, over loopback or a network of your own"}));
    auto text = came_to(visit);
    if (seen_.in_clear && seen_.in_clear->end == End::stream_error)
        text += ": " + seen_.in_clear->answers.stream_error;
    problem("no-tls", "the server does not begin TLS", std::move(text), std::string(nobody_gets_in),
            std::move(set));
}

void Judge::stream_error(const Visit& visit) {
    if (visit.does_not_know_host()) {
        problem("host-unknown", "the server does not know " + seen_.target.name, came_to(visit),
                "Clients of this host get that error.", server(ServerAdvice::know_host));
        return;
    }
    if (visit.answers.stream_error == "undefined-condition" &&
        seen_.target.address.scheme == UpstreamScheme::tcp) {
        problem("no-mechanisms", "the server offers no way to log in", how_it_went(visit),
                "So Prosody ends a stream on which it has nothing to offer, because it does not "
                "take the leg for secure: nobody can log in.",
                server(ServerAdvice::trust_leg));
        return;
    }
    problem("stream-error", "the server ends the stream at once", how_it_went(visit),
            "Clients get that error, and nobody can log in. The server's log says more.",
            server(ServerAdvice::admit_address));
}

void Judge::header(ProxyHeader works) {
    auto const& configured = seen_.as_configured();
    auto text = how_it_went(configured) + "; " + with_header(works) + ": it answers";
    std::string const line = "proxy_protocol = \"" + to_text(works) + '"';
    if (configured.header == ProxyHeader::none) {
        problem("proxy-header-expected", "the server waits for a PROXY header, and gets none",
                std::move(text), std::string(nobody_gets_in), {at_gate(upstream_table, {line})});
    } else if (works == ProxyHeader::none) {
        problem("proxy-header-not-taken", "the server does not take the PROXY header",
                std::move(text),
                "Nobody gets in. Without the header the server would take every client for the "
                "gate, so let it read the header rather than stop sending it.",
                server_or_gate(ServerAdvice::listen_for_header,
                               line + "  # only if the server cannot read it"));
    } else {
        problem("proxy-header-version", "the server takes another version of the PROXY header",
                std::move(text), std::string(nobody_gets_in), {at_gate(upstream_table, {line})});
    }
}

std::string list_of(const std::vector<std::string>& words) {
    std::string text;
    for (auto const& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

}  // namespace

std::vector<Finding> judge(const Examination& seen) {
    return Judge(seen).findings();
}

std::vector<std::string> facts(const Examination& seen) {
    auto const* const visit = seen.answered();
    if (visit == nullptr) return {};
    std::vector<std::string> lines;
    switch (visit->answers.kind) {
        case filters::ServerKind::prosody:
            lines.emplace_back("by its stream, Prosody");
            break;
        case filters::ServerKind::ejabberd:
            lines.emplace_back("by its stream, ejabberd");
            break;
        case filters::ServerKind::unknown:
            lines.emplace_back(
                "by its stream, neither Prosody nor ejabberd, so lines for both are shown");
            break;
    }
    lines.push_back("answers " + with_header(visit->header));
    if (auto const& mechanisms = visit->answers.features->mechanisms; !mechanisms.empty())
        lines.push_back("logs in by " + list_of(mechanisms));
    for (auto& line : registration_facts(seen)) lines.push_back(std::move(line));
    return lines;
}

}  // namespace stanzagate::proxy
