#include "bench/micro/material.hpp"

#include <stdexcept>

#include "config/load.hpp"

namespace stanzagate::bench {
namespace {

constexpr std::string_view namespaces =
    "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'";

}  // namespace

const std::string client_header = "<?xml version='1.0'?><stream:stream to='" + std::string(host) +
                                  "' version='1.0' xml:lang='en' " + std::string(namespaces) + '>';
const std::string server_header =
    "<?xml version='1.0'?><stream:stream from='" + std::string(host) +
    "' id='8d2a9f1c-6d0e-4c7b-9a55-2b1f0e3c4d5e' version='1.0' xml:lang='en' " +
    std::string(namespaces) + '>';
const std::string server_features =
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism>"
    "<mechanism>SCRAM-SHA-256</mechanism><mechanism>PLAIN</mechanism></mechanisms>"
    "<register xmlns='http://jabber.org/features/iq-register'/></stream:features>";

config::Config config_with(std::size_t hosts, std::size_t networks) {
    std::string text = "[registration]\nurl = 'https://example.org/register'\nwhitelist = [";
    for (std::size_t i = 0; i < networks; ++i)
        text += "'10." + std::to_string(i / 256) + '.' + std::to_string(i % 256) + ".0/24',";
    text += "]\n[[listen]]\naddress = '127.0.0.1:0'\ntls = 'direct'\n";
    for (std::size_t i = 0; i < hosts; ++i)
        text += "[[host]]\nname = 'h" + std::to_string(i) +
                ".example'\nself_signed = true\nupstream = 'tcp://192.0.2.1:5222'\n";
    config::Diagnostics diagnostics;
    auto config = config::load_text(text, "bench.toml", diagnostics);
    if (!config) throw std::invalid_argument(diagnostics.all().front().to_string());
    return *config;
}

filters::Peer stranger() {
    return {config::Address::parse("198.51.100.7"), filters::Transport::direct};
}

std::string message(std::size_t bytes) {
    std::string text = "<message to='mary@h0.example' type='chat' id='m1'><body>";
    constexpr std::string_view end = "</body></message>";
    if (bytes < text.size() + end.size()) throw std::invalid_argument("too short for a message");
    text.append(bytes - end.size() - text.size(), 'x');
    text += end;
    return text;
}

}  // namespace stanzagate::bench
