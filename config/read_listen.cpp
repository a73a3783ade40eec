// [[listen]], and the lists of networks that it and [registration] have.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "config/nearest_word.hpp"
#include "config/readers.hpp"

namespace stanzagate::config {
namespace {

// Acceptors bind with SO_REUSEPORT, so the kernel would not notice that an address is there twice.
void note_bound(Section& section, const Endpoint& endpoint, const Position& where,
                std::map<Endpoint, Position>& bound) {
    if (endpoint.port == 0) return;
    const std::string text = in_quotes(endpoint.to_string());
    const auto [first, is_new] = bound.emplace(endpoint, where);
    if (!is_new) {
        section.error(
            "address", where,
            text + " is already listened on, in line " + std::to_string(first->second.line));
        return;
    }
    for (const auto& [other, place] : bound)
        if (other != endpoint && overlap(other, endpoint))
            section.error("address", where,
                          text + " overlaps with " + in_quotes(other.to_string()) + " in line " +
                              std::to_string(place.line) +
                              ": one of them is every address of this machine, and nobody can "
                              "listen at both");
}

void read_addresses(Section& section, Listen& listen, std::map<Endpoint, Position>& bound) {
    if (!section.has("address")) {
        section.missing("address", "where to listen, as in \"0.0.0.0:5222\" or \"[::]:5222\"");
        return;
    }
    std::vector<Located<std::string>> texts;
    if (section.strings("address", texts) && texts.empty())
        section.error("address", "an empty list; give at least one address");
    listen.where = section.where("address");
    for (const auto& [text, where] : texts) {
        if (const auto endpoint = Endpoint::parse(text)) {
            listen.addresses.push_back(*endpoint);
            note_bound(section, *endpoint, where, bound);
        } else {
            section.error("address", where,
                          in_quotes(text) +
                              " is not an address and a port; write them as in "
                              "\"192.0.2.1:5222\" or \"[2001:db8::1]:5222\"");
        }
    }
}

void serve(Served& served, std::string_view word) {
    served.xmpp = served.xmpp || word == "xmpp";
    served.websocket = served.websocket || word == "websocket";
    served.bosh = served.bosh || word == "bosh";
}

void read_serve(Section& section, Listen& listen, bool knows_tls) {
    static const std::vector<std::string> words{"xmpp", "websocket", "bosh"};
    std::vector<Located<std::string>> written;
    if (section.strings("serve", written) && written.empty())
        section.error("serve", "an empty list; write [\"xmpp\"], or leave the key out");
    if (written.empty()) return;
    listen.served = {.xmpp = false};
    for (const auto& [word, where] : written) {
        const Served before = listen.served;
        serve(listen.served, word);
        if (std::ranges::find(words, word) == words.end()) {
            section.error("serve", where,
                          R"(must be "xmpp", "websocket" or "bosh", not )" + in_quotes(word) +
                              did_you_mean(word, words));
        } else if (listen.served == before) {
            section.error("serve", where, in_quotes(word) + " is in this list already");
        } else if (word != "xmpp" && knows_tls && listen.tls == TlsMode::starttls) {
            section.error("serve", where,
                          in_quotes(word) +
                              " comes over HTTP, which has no STARTTLS; give it a [[listen]] with "
                              "tls = \"direct\", or \"none\" behind a balancer that ends TLS");
        }
    }
}

void read_forwarded_from(Section& section, Listen& listen) {
    const std::size_t found_before = section.reading().diagnostics.all().size();
    listen.forwarded_from = read_networks(section, "forwarded_from");
    if (listen.forwarded_from.empty() || listen.served.http() ||
        section.reading().diagnostics.all().size() != found_before)
        return;
    section.warning("forwarded_from", section.where("forwarded_from"),
                    "of no use here, where neither \"websocket\" nor \"bosh\" is served; for "
                    "XMPP, a balancer tells the client's address by proxy_protocol_from");
}

}  // namespace

Listen read_listen(Section section, std::map<Endpoint, Position>& bound) {
    Listen listen;
    read_addresses(section, listen, bound);
    const bool knows_tls = section.choice("tls", listen.tls,
                                          {{"starttls", TlsMode::starttls},
                                           {"direct", TlsMode::direct},
                                           {"none", TlsMode::none}}) ||
                           !section.has("tls");
    read_serve(section, listen, knows_tls);
    listen.proxy_protocol_from = read_networks(section, "proxy_protocol_from");
    read_forwarded_from(section, listen);
    section.finish();
    return listen;
}

std::vector<Network> read_networks(Section& section, std::string_view key) {
    std::vector<Located<std::string>> texts;
    section.strings(key, texts);
    std::vector<Network> networks;
    for (const auto& written : texts)
        if (const auto network = read_network(section, key, written)) networks.push_back(*network);
    return networks;
}

std::optional<Network> read_network(Section& section, std::string_view key,
                                    const Located<std::string>& written) {
    const auto& [text, where] = written;
    const auto network = Network::parse(text);
    if (network) return network;
    if (const auto meant = Network::enclosing(text)) {
        section.error(key, where,
                      in_quotes(text) + " has bits set beyond its prefix; did you mean \"" +
                          meant->to_string() + "\"?");
    } else {
        section.error(key, where,
                      in_quotes(text) +
                          " is not an address or a network; write it as in \"192.0.2.1\", "
                          "\"192.0.2.0/24\" or \"2001:db8::/32\"");
    }
    return std::nullopt;
}

}  // namespace stanzagate::config
