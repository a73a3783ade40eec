#include "config/config.hpp"

#include <cassert>
#include <string_view>

namespace stanzagate::config {
namespace {

std::string_view scheme_name(UpstreamScheme scheme) {
    switch (scheme) {
        case UpstreamScheme::tcp:
            return "tcp";
        case UpstreamScheme::starttls:
            return "starttls";
        case UpstreamScheme::tls:
            return "tls";
    }
    return {};
}

}  // namespace

std::string UpstreamAddress::to_string() const {
    const bool v6 = host.find(':') != std::string::npos;
    return std::string(scheme_name(scheme)) + "://" + (v6 ? '[' + host + ']' : host) + ':' +
           std::to_string(port);
}

std::string Served::to_string() const {
    std::string text;
    const auto add = [&](bool is_served, std::string_view word) {
        if (!is_served) return;
        if (!text.empty()) text += ',';
        text += word;
    };
    add(xmpp, "xmpp");
    add(websocket, "websocket");
    add(bosh, "bosh");
    return text;
}

bool Listen::brings(Transport transport) const {
    switch (transport) {
        case Transport::starttls:
            return served.xmpp && tls == TlsMode::starttls;
        case Transport::direct:
            return served.xmpp && tls != TlsMode::starttls;
        case Transport::websocket:
            return served.websocket;
        case Transport::bosh:
            return served.bosh;
    }
    return false;
}

const Host* Config::find_host(std::string_view name) const {
    assert(host_index_.size() == hosts.size());
    const auto place = host_index_.find(name);
    return place ? &hosts[*place] : nullptr;
}

void Config::index_hosts() {
    host_index_ = {};
    for (std::size_t i = 0; i < hosts.size(); ++i) host_index_.add(hosts[i].name, i);
}

}  // namespace stanzagate::config
