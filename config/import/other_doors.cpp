#include "config/import/other_doors.hpp"

#include <optional>
#include <utility>

#include "config/import/toml_text.hpp"

namespace stanzagate::config {
namespace {

// A door of its own, or a module that loads one.
constexpr const char* web_modules[] = {"bosh", "websocket", "conversejs", "jsxc"};
constexpr const char* port_options[] = {"ports", "ssl_ports"};  // of mod_net_multiplex

constexpr const char* through_web =
    "they come through the gate too (serve = [\"xmpp\", \"websocket\", \"bosh\"])";
// Prosody tells servers and HTTP from clients there, which the gate does not do.
constexpr const char* through_ports =
    "the gate has these ports (in the address of a [[listen]], with tls = \"direct\" for "
    "ssl_ports), Prosody has ports = { }; ssl_ports = { }, and servers and HTTP requests, where "
    "they come by them too, have other ports";

std::string name_and_state(const std::string& name, Loading loading) {
    return name + (loading == Loading::yes ? " is enabled" : " may be enabled");
}

std::vector<std::string> multiplexed(const ProsodyOptions& global) {
    std::vector<std::string> found;
    for (const std::string option : port_options) {
        if (global.find(option) == nullptr) continue;
        const auto ports = global.list(option);
        const bool known = ports.has_value();
        if (!known || !ports->empty())
            found.push_back(known ? option + ' ' + enumeration(*ports, ", ") : option);
    }
    return found;
}

std::string must_stay(const std::string& modules, const std::string& ports,
                      const std::string& until) {
    return toml_comment("mod_register_redirect must stay enabled there: by " + modules +
                        " clients reach Prosody at its own " + ports +
                        ", past the gate, and it is the only guard of registration on that way. It "
                        "has nothing left to do on it once " +
                        until + '.');
}

}  // namespace

OtherDoors other_doors(const ProsodyConfig& config, const ProsodyOptions& global) {
    OtherDoors doors;
    doors.guard = loading_of("register_redirect", config);
    for (const std::string module : web_modules)
        if (const Loading loading = loading_of(module, config); is_enabled(loading))
            doors.web.push_back({"mod_" + module, loading});
    const Loading multiplexing = loading_of("net_multiplex", config);
    if (is_enabled(multiplexing)) doors.multiplexed = multiplexed(global);
    if (!doors.multiplexed.empty()) doors.multiplexing = multiplexing;
    return doors;
}

void note_other_doors(const OtherDoors& doors, const ProsodyOptions& global, ImportNotes& notes) {
    const auto note = [&](const Position& where, const std::string& module,
                          const std::string& ports, const char* until) {
        std::string message =
            module + ": clients that come to Prosody by it" + ports + " pass by the gate";
        if (is_enabled(doors.guard))
            message += ", where mod_register_redirect is the only guard: leave it enabled until " +
                       std::string(until);
        notes.add(where, message);
    };
    for (const OtherDoors::Module& module : doors.web)
        note(global.where("modules_enabled"), name_and_state(module.name, module.loading), "",
             through_web);
    if (!is_enabled(doors.multiplexing)) return;
    const char* const option = global.find("ports") != nullptr ? "ports" : "ssl_ports";
    note(global.where(option), name_and_state("mod_net_multiplex", doors.multiplexing),
         ", at " + enumeration(doors.multiplexed, " and ") + ',', through_ports);
}

std::string what_stays(const OtherDoors& doors) {
    std::string out;
    if (!doors.web.empty()) {
        std::vector<std::string> names;
        names.reserve(doors.web.size());
        for (const OtherDoors::Module& module : doors.web) names.push_back(module.name);
        const std::string modules = enumeration(names, " and ");
        out += must_stay(modules, "HTTP ports",
                         std::string(through_web) + " and Prosody no longer has " + modules);
    }
    if (!doors.multiplexed.empty())
        out +=
            must_stay("mod_net_multiplex", enumeration(doors.multiplexed, " and "), through_ports);
    if (out.empty()) out = toml_comment("mod_register_redirect has nothing left to do there.");
    return out;
}

}  // namespace stanzagate::config
