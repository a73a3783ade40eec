#include "config/import/prosody_to_toml.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "config/host_name.hpp"
#include "config/import/import_notes.hpp"
#include "config/import/other_doors.hpp"
#include "config/import/prosody_certificate.hpp"
#include "config/import/prosody_doors.hpp"
#include "config/import/prosody_limits.hpp"
#include "config/import/prosody_modules.hpp"
#include "config/import/prosody_options.hpp"
#include "config/import/redirect_settings.hpp"
#include "config/import/registration_table.hpp"
#include "config/import/toml_text.hpp"

namespace stanzagate::config {
namespace {

// A VirtualHost that becomes a [[host]].
struct ServedHost {
    const ProsodySection* section = nullptr;
    RedirectSettings settings;
    ProsodyLimits limits;
    std::string comments;
};

class Translation {
public:
    Translation(const ProsodyConfig& config, Diagnostics& diagnostics)
        : config_(config), diagnostics_(diagnostics), notes_(diagnostics) {}

    std::string run();

private:
    ProsodyOptions options_of(const ProsodySection* host) { return {config_.global, host, notes_}; }
    bool is_served(const ProsodySection& host);
    void note_misspelt(const ProsodySection& section);
    bool has(const char* module, const ProsodySection& host) const {
        return is_enabled(loading_of(module, config_.global, host));
    }
    void note_global();
    void note_kept_limits(const ProsodySection& section);
    void note_closed(const ProsodySection& host);
    ServedHost served(const ProsodySection& host);

    std::string listeners(const ProsodyDoors& doors);
    std::string certificate(const ServedHost& host);
    std::string rule_file(const std::vector<ServedHost>& hosts);

    const ProsodyConfig& config_;
    Diagnostics& diagnostics_;
    ImportNotes notes_;
};

bool Translation::is_served(const ProsodySection& host) {
    if (host.component) {
        notes_.add(host.where, "Component " + in_quotes(host.name) +
                                   " stays Prosody's, and has no [[host]]: clients reach it by "
                                   "their own host");
        return false;
    }
    if (const ProsodyOption* enabled = host.find("enabled")) {
        const bool* value = std::get_if<bool>(&enabled->value.value);
        if (value != nullptr && !*value) {
            notes_.add(enabled->where, host.name + " is not enabled, and is left out");
            return false;
        }
    }
    const auto name = parse_host_pattern(host.name);
    const auto* pattern = std::get_if<HostPattern>(&name);
    if (pattern != nullptr && pattern->kind == HostPattern::Kind::exact) return true;
    notes_.add(host.where, "VirtualHost " + in_quotes(host.name) +
                               " is left out: it is not a host name of ASCII letters; if it has "
                               "others, give its xn-- form");
    return false;
}

// Names of options that were taken for the module's own, by an old page and by its log.
void Translation::note_misspelt(const ProsodySection& section) {
    constexpr std::pair<const char*, const char*> names[] = {
        {"registrarion_url", "registration_url"},
        {"register_url", "registration_url"},
        {"register_text", "registration_text"},
        {"register_oob", "registration_oob"},
        {"no_registration_allowlist", "no_registration_whitelist"}};
    for (const auto& [wrong, right] : names)
        if (const ProsodyOption* option = section.find(wrong))
            notes_.add(option->where, std::string(wrong) + ": mod_register_redirect never read " +
                                          "this, its option is " + right + "; it said " +
                                          option->value.describe());
}

void Translation::note_global() {
    note_misspelt(config_.global);
    note_unknown_modules(config_.global, notes_);
    note_kept_limits(config_.global);
    const ProsodyOptions global = options_of(nullptr);
    if (global.find("c2s_require_encryption") && !global.boolean("c2s_require_encryption", true))
        notes_.add(global.where("c2s_require_encryption"),
                   "c2s_require_encryption: the gate always asks clients for TLS");
}

// Limits that Prosody goes on to hold, behind the gate.
void Translation::note_kept_limits(const ProsodySection& section) {
    if (const ProsodyOption* option = section.find("limits"))
        notes_.add(option->where,
                   "limits: stays Prosody's, and is not carried over; the gate's own are in "
                   "[limits]: connect_rate, connections_per_address");
    if (const ProsodyOption* option = section.find("c2s_stanza_size_limit"))
        notes_.add(option->where,
                   "c2s_stanza_size_limit: stays Prosody's, and is not carried over; before a "
                   "client has logged in, the gate's limits.stanza_size holds too");
}

void Translation::note_closed(const ProsodySection& host) {
    if (has("register_ibr", host)) return;
    const ProsodyOptions options = options_of(&host);
    if (has("register", host) && options.boolean("allow_registration", false)) return;
    notes_.add(options.where("allow_registration"),
               "allow_registration is not true at " + host.name +
                   ": Prosody itself refuses those whom the whitelist lets pass");
}

ServedHost Translation::served(const ProsodySection& host) {
    const ProsodyOptions options = options_of(&host);
    ServedHost served{.section = &host, .settings = {}, .limits = {}, .comments = {}};
    note_misspelt(host);
    note_kept_limits(host);
    note_unknown_modules(host, notes_);
    served.limits = prosody_limits(options, notes_);
    if (has("register_redirect", host)) {
        served.settings = redirect_settings(options, notes_);
        note_closed(host);
    } else if (served.limits.allowlist_only) {
        notes_.add(host.where, "mod_register_redirect is not enabled at " + host.name +
                                   "; mod_register_limits' allowlist decides instead");
        served.settings.whitelist = served.limits.allowlist;
        served.settings.text = text_for_nobody;
    } else {
        notes_.add(host.where, "mod_register_redirect is not enabled at " + host.name +
                                   ": every registration is left to the server");
        served.settings.whitelist = {"0.0.0.0/0", "::/0"};
        served.settings.text = text_for_nobody;
    }
    served.comments = notes_.take();
    return served;
}

std::string Translation::listeners(const ProsodyDoors& doors) {
    std::string out;
    const auto add = [&](const std::vector<Endpoint>& endpoints, const char* tls) {
        if (endpoints.empty()) return;
        std::vector<std::string> texts;
        texts.reserve(endpoints.size());
        for (const Endpoint& endpoint : endpoints) texts.push_back(endpoint.to_string());
        out += "[[listen]]\naddress = " + toml_list(texts) + "\ntls     = \"" + tls + "\"\n\n";
    };
    add(doors.starttls, "starttls");
    add(doors.direct, "direct");
    return out;
}

std::string Translation::certificate(const ServedHost& host) {
    const ProsodyOptions options = options_of(host.section);
    const CertificateFiles files = certificate_files(config_, options, host.section->name);
    const std::string certificate = "certificate = " + toml_string(files.certificate.string());
    const std::string key = "key         = " + toml_string(files.key.string());
    if (files.found) return certificate + '\n' + key + '\n';
    const ProsodyOption* said = options.find_any({"ssl", "certificate", "certificates"});
    notes_.add(said != nullptr ? said->where : host.section->where,
               "the certificate of " + host.section->name + " was not found (looked for " +
                   in_quotes(files.certificate.string()) +
                   " with its key): self_signed = true stands in for it, which clients do not "
                   "trust; name the files and take that line out");
    return notes_.take() + '#' + certificate + "\n#" + key + "\nself_signed = true\n";
}

std::string Translation::rule_file(const std::vector<ServedHost>& hosts) {
    std::vector<LimitedHost> limited;
    limited.reserve(hosts.size());
    for (const ServedHost& host : hosts)
        limited.push_back({host.section->name, host.limits, host.settings.whitelist});
    const std::string rules = limits_rules(limited);
    if (rules.empty()) return {};
    const ProsodyOptions global = options_of(nullptr);
    Position where = global.where("min_seconds_between_registrations");
    for (const char* const option :
         {"registration_blocklist", "registration_blacklist", "registration_throttle_max",
          "min_seconds_between_registrations"})
        for (const ServedHost& host : hosts)
            if (const ProsodyOption* found = options_of(host.section).find(option))
                where = found->where;
    notes_.add(where,
               "mod_register_limits: its limits need a rule file, which is printed as comments at "
               "the end");
    std::string out =
        "\n" + notes_.take() +
        toml_comment(
            "Save what follows as rules/limits.toml, without the leading \"#\", and name "
            "it in [registration]: rules = [\"rules/limits.toml\"].") +
        toml_comment(
            "Prosody's own limits go on working behind the gate too, where the PROXY "
            "header tells it the clients' addresses. It exempts its allowlist from the "
            "throttle; these rules count those whom the whitelist forwards.") +
        "#\n# ---- rules/limits.toml ----\n";
    std::string_view rest = rules;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        out += line.empty() ? "#\n" : "#" + std::string(line) + '\n';
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
    return out;
}

std::string preamble(const ProsodyConfig& config, const std::string& port,
                     const OtherDoors& others) {
    return toml_comment("Made by stanzagate import-prosody from " + config.file.string() +
                        ". Read it through, then: stanzagate check") +
           "#\n" +
           toml_comment(
               "The gate takes the ports of Prosody, which moves behind it (docs/"
               "servers.md): enable mod_net_proxy and mod_secure_interfaces there, and "
               "set") +
           "#     c2s_ports = { }; c2s_direct_tls_ports = { }; legacy_ssl_ports = { }\n"
           "#     proxy_ports = { " +
           port + " }; proxy_port_mappings = { [" + port +
           "] = \"c2s\" }\n"
           "#     proxy_trusted_proxies = { \"127.0.0.1\", \"::1\" }\n"
           "#     secure_interfaces = { \"127.0.0.1\", \"::1\" }\n" +
           what_stays(others);
}

std::string Translation::run() {
    const std::vector<Diagnostic> evaluated = diagnostics_.all();
    note_global();
    const ProsodyOptions global = options_of(nullptr);
    const OtherDoors others = other_doors(config_, global);
    note_other_doors(others, global, notes_);
    const ProsodyDoors doors = prosody_doors(global, notes_);
    const std::string port = std::to_string(port_behind(global, doors));
    std::vector<const ProsodySection*> sections;
    for (const ProsodySection& host : config_.hosts)
        if (is_served(host)) sections.push_back(&host);
    if (sections.empty()) {
        diagnostics_.error(config_.global.where,
                           "there is no VirtualHost that the gate could stand before");
        return {};
    }
    std::string out = preamble(config_, port, others);
    if (!evaluated.empty()) out += "#\n";
    // What could not be followed when the file was evaluated.
    for (const Diagnostic& earlier : evaluated) out += toml_comment(earlier.message);
    if (const std::string comments = notes_.take(); !comments.empty()) out += "#\n" + comments;
    out += '\n' + listeners(doors);

    std::vector<ServedHost> hosts;
    std::vector<RedirectSettings> settings;
    for (const ProsodySection* host : sections) {
        hosts.push_back(served(*host));
        settings.push_back(hosts.back().settings);
    }
    Diagnostics unsaid;  // what is wrong with these is said of the hosts that have them
    ImportNotes aside(unsaid);
    const RegistrationTable table(redirect_settings({config_.global, nullptr, aside}, aside),
                                  settings);
    out += table.global();
    for (const ServedHost& host : hosts) {
        out += "\n[[host]]\nname        = " + toml_string(host.section->name) + '\n';
        out += certificate(host);
        out += "upstream    = { address = \"tcp://127.0.0.1:" + port +
               "\", proxy_protocol = \"v2\" }\n";
        out += host.comments + table.of(host.settings);
    }
    return out + rule_file(hosts);
}

}  // namespace

std::string prosody_to_toml(const ProsodyConfig& config, Diagnostics& diagnostics) {
    return Translation(config, diagnostics).run();
}

}  // namespace stanzagate::config
