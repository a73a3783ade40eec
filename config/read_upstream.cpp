// host.upstream, in its short form (one url) and its long one (a table).
#include <algorithm>
#include <chrono>
#include <string>

#include "config/host_name.hpp"
#include "config/own_addresses.hpp"
#include "config/readers.hpp"

namespace stanzagate::config {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view example = "the XMPP server, as in \"tcp://127.0.0.1:5222\"";

void read_addresses(Section& section, std::string_view key, Upstream& upstream) {
    std::vector<Located<std::string>> texts;
    if (section.strings(key, texts) && texts.empty())
        section.error(key, "an empty list; give at least one address");
    for (const auto& [text, where] : texts) {
        auto parsed = parse_upstream_address(text);
        if (auto* wrong = std::get_if<std::string>(&parsed)) {
            section.error(key, where, std::move(*wrong));
        } else {
            upstream.addresses.push_back(std::move(std::get<UpstreamAddress>(parsed)));
        }
    }
}

// Prosody and ejabberd treat what comes from loopback as local users.
void warn_of_loopback(Section& section, std::string_view key, const Upstream& upstream) {
    if (upstream.proxy_protocol != ProxyHeader::none) return;
    const auto loopback = std::ranges::find_if(upstream.addresses, is_on_loopback);
    if (loopback == upstream.addresses.end()) return;
    section.warning(key, section.where(key),
                    loopback->to_string() +
                        " is on this machine and gets no PROXY header: the server takes every "
                        "client for a local, trusted one, and this gate is then the only guard of "
                        "registration; set proxy_protocol = \"v2\" in [host.upstream] and let the "
                        "server expect it");
}

void check_tls_settings(Section& section, const Upstream& upstream) {
    const bool uses_tls = std::ranges::any_of(
        upstream.addresses,
        [](const UpstreamAddress& address) { return address.scheme != UpstreamScheme::tcp; });
    if (upstream.addresses.empty()) return;  // reported, and nothing is known
    for (const std::string_view key : {"ca", "verify", "name"})
        if (!uses_tls && section.has(key))
            section.warning(key, section.where(key),
                            "has no effect: the upstream is reached by tcp://, without TLS");
    if (uses_tls && !upstream.verify)
        section.warning("verify", section.where("verify"),
                        "the upstream's certificate is not checked, so whoever answers at its "
                        "address is believed");
}

void read_table(Section& section, Upstream& upstream) {
    if (section.has("address")) {
        read_addresses(section, "address", upstream);
    } else {
        section.missing("address", example);
    }
    section.choice("proxy_protocol", upstream.proxy_protocol,
                   {{"none", ProxyHeader::none}, {"v1", ProxyHeader::v1}, {"v2", ProxyHeader::v2}});
    section.duration("connect_timeout", upstream.connect_timeout, {100ms, 24h});
    std::filesystem::path ca;
    if (section.path("ca", ca)) {
        upstream.ca = ca;
        upstream.ca_where = section.where("ca");
    }
    section.boolean("verify", upstream.verify);
    std::string name;
    if (section.string("name", name)) {
        if (is_host_name(name)) {
            upstream.name = ascii_lower(name);
        } else {
            section.error("name", in_quotes(name) + " is not a host name");
        }
    }
    check_tls_settings(section, upstream);
    warn_of_loopback(section, "address", upstream);
    section.finish();
}

}  // namespace

Upstream read_upstream(Section& host) {
    Upstream upstream;
    upstream.where = host.where("upstream");
    if (!host.has("upstream")) {
        host.missing("upstream", example);
    } else if (host.is_table("upstream")) {
        auto section = host.table("upstream");
        read_table(*section, upstream);
    } else if (host.is_list("upstream")) {
        host.error("upstream",
                   "the short form is one address; for several write [host.upstream] and address "
                   "= [...] in it");
    } else if (std::string text; host.string("upstream", text)) {
        read_addresses(host, "upstream", upstream);
        warn_of_loopback(host, "upstream", upstream);
    }
    return upstream;
}

}  // namespace stanzagate::config
