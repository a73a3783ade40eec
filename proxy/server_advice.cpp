#include "proxy/server_advice.hpp"

#include <utility>

namespace stanzagate::proxy {
namespace {

using filters::ServerKind;
using Lines = std::vector<std::string>;

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    std::string text;
    for (auto const& word : words) {
        if (!text.empty()) text += between;
        text += '"' + word + '"';
    }
    return text;
}

// A module, among those that are there.
std::string lua_module(const std::string& name, const std::string& remark = {}) {
    return "modules_enabled = { \"" + name + "\"; --[[ ...what you have... ]] }" +
           (remark.empty() ? "" : "  -- " + remark);
}

Lines for_prosody(ServerAdvice advice, const AdviceFor& one) {
    auto const port = std::to_string(one.port);
    switch (advice) {
        case ServerAdvice::listen:
            return {"c2s_ports = { " + port + " }"};
        case ServerAdvice::listen_for_header:
            return {lua_module("net_proxy", "community module"),
                    "proxy_ports = { " + port + " }  -- and not in c2s_ports",
                    "proxy_port_mappings = { [" + port + "] = \"c2s\" }",
                    "proxy_trusted_proxies = { \"" + one.gate_address + "\" }"};
        case ServerAdvice::expect_no_header:
            return {"c2s_ports = { " + port + " }  -- and not in proxy_ports"};
        case ServerAdvice::know_host:
            return {"VirtualHost \"" + one.host + '"'};
        case ServerAdvice::offer_starttls:
            return {lua_module("tls"),
                    "-- and a certificate for " + one.host + ": prosodyctl cert import"};
        case ServerAdvice::trust_leg:
            return {
                lua_module("secure_interfaces", "community module"),
                "secure_interfaces = { \"" + one.server_address + "\" }",
                "-- or, without that module, where nobody but the gate reaches port " + port + ":",
                "c2s_require_encryption = false", "allow_unencrypted_plain_auth = true"};
        case ServerAdvice::offer_login:
            return {"authentication = \"internal_hashed\"  -- or what you have; its log says more"};
        case ServerAdvice::no_compression:
            return {"modules_disabled = { \"compression\" }"};
        case ServerAdvice::no_external:
            return {"disable_sasl_mechanisms = { \"DIGEST-MD5\"; \"EXTERNAL\" }"};
        case ServerAdvice::limit_registration:
            return {"allowlist_registration_only = true",
                    "registration_allowlist = { \"192.0.2.0/24\" }  -- as in the gate's whitelist"};
        case ServerAdvice::offer_registration:
            return {"allow_registration = true", lua_module("register_ibr")};
        case ServerAdvice::no_redirect:
            return {"-- take \"register_redirect\" out of modules_enabled"};
        case ServerAdvice::admit_address:
            return {
                "-- look for the address in what bans addresses: mod_firewall, "
                "registration_blocklist"};
    }
    return {};
}

Lines for_ejabberd(ServerAdvice advice, const AdviceFor& one) {
    switch (advice) {
        case ServerAdvice::listen:
            return {"module: ejabberd_c2s"};
        case ServerAdvice::listen_for_header:
            return {"module: ejabberd_c2s", "use_proxy_protocol: true"};
        case ServerAdvice::expect_no_header:
            return {"use_proxy_protocol: false"};
        case ServerAdvice::know_host:
            return {"hosts: [\"" + one.host + "\"]  # and those that you have"};
        case ServerAdvice::offer_starttls:
            return {"starttls: true"};
        case ServerAdvice::trust_leg:
            return {"starttls_required: false"};
        case ServerAdvice::offer_login:
            return {"auth_method: [internal]  # or what you have; its log says more"};
        case ServerAdvice::no_compression:
            return {"zlib: false"};
        case ServerAdvice::no_external:
            return {"disable_sasl_mechanisms: [\"EXTERNAL\"]"};
        case ServerAdvice::limit_registration:
            return {"acl:",
                    "  registrars:",
                    "    ip: [\"192.0.2.0/24\"]  # the gate's whitelist",
                    "access_rules:",
                    "  registrars: [allow: registrars]",
                    "modules:",
                    "  mod_register:",
                    "    ip_access: registrars"};
        case ServerAdvice::offer_registration:
            return {"modules:", "  mod_register:", "    access: all",
                    "    ip_access: all  # or a rule that lets the gate's whitelist in"};
        case ServerAdvice::no_redirect:
            return {"# take redirect_url out of modules: mod_register"};
        case ServerAdvice::admit_address:
            return {"access: c2s  # look at what that rule denies, and at mod_fail2ban"};
    }
    return {};
}

// Of ejabberd's settings these belong to one listener.
bool is_of_listener(ServerAdvice advice) {
    switch (advice) {
        case ServerAdvice::listen:
        case ServerAdvice::listen_for_header:
        case ServerAdvice::expect_no_header:
        case ServerAdvice::offer_starttls:
        case ServerAdvice::trust_leg:
        case ServerAdvice::no_compression:
        case ServerAdvice::admit_address:
            return true;
        case ServerAdvice::know_host:
        case ServerAdvice::offer_login:
        case ServerAdvice::no_external:
        case ServerAdvice::limit_registration:
        case ServerAdvice::offer_registration:
        case ServerAdvice::no_redirect:
            return false;
    }
    return false;
}

std::string listener(const AdviceFor& one) {
    return "ejabberd, at the listener of port " + std::to_string(one.port);
}

Settings for_both(const AdviceFor& one, Setting prosody, Setting ejabberd) {
    switch (one.server) {
        case ServerKind::prosody:
            return {std::move(prosody)};
        case ServerKind::ejabberd:
            return {std::move(ejabberd)};
        case ServerKind::unknown:
            break;
    }
    return {std::move(prosody), std::move(ejabberd)};
}

}  // namespace

Settings at_server(ServerAdvice advice, const AdviceFor& one) {
    return for_both(
        one, {"Prosody", for_prosody(advice, one)},
        {is_of_listener(advice) ? listener(one) : "ejabberd", for_ejabberd(advice, one)});
}

Settings without_mechanisms(const std::vector<std::string>& mechanisms, const AdviceFor& one) {
    return for_both(
        one,
        {"Prosody",
         {"disable_sasl_mechanisms = { \"DIGEST-MD5\"; " + joined(mechanisms, "; ") + " }"}},
        {"ejabberd", {"disable_sasl_mechanisms: [" + joined(mechanisms, ", ") + "]"}});
}

Settings with_stanza_size(std::size_t bytes, const AdviceFor& one) {
    auto const size = std::to_string(bytes);
    return for_both(one, {"Prosody", {"c2s_unauthed_stanza_size_limit = " + size}},
                    {listener(one),
                     {"pre_auth_max_stanza_size: " + size + "  # before 26.04: max_stanza_size"}});
}

Setting at_gate(std::string_view table, std::vector<std::string> lines) {
    return {"stanzagate, in " + std::string(table), std::move(lines)};
}

}  // namespace stanzagate::proxy
