#include "config/import/prosody_modules.hpp"

#include <algorithm>

namespace stanzagate::config {
namespace {

Loading listing(const LuaValue& value, const std::string& module) {
    if (const auto* name = std::get_if<std::string>(&value.value))
        return *name == module ? Loading::yes : Loading::no;
    return std::holds_alternative<LuaUnknown>(value.value) ? Loading::maybe : Loading::no;
}

// Whether the option, a list of modules, has this one.
Loading listing(const ProsodySection& section, const std::string& option,
                const std::string& module) {
    const ProsodyOption* modules = section.find(option);
    if (modules == nullptr) return Loading::no;
    const auto* table = std::get_if<LuaTable>(&modules->value.value);
    if (table == nullptr) return listing(modules->value, module);
    Loading found = Loading::no;
    for (const LuaValue& value : table->list) found = std::max(found, listing(value, module));
    return found;
}

// What is enabled by one list and disabled by another.
Loading without(Loading enabled, Loading disabled) {
    if (disabled == Loading::yes) return Loading::no;
    return disabled == Loading::maybe ? std::min(enabled, Loading::maybe) : enabled;
}

}  // namespace

Loading loading_of(const std::string& module, const ProsodySection& global,
                   const ProsodySection& host) {
    const Loading inherited = without(listing(global, "modules_enabled", module),
                                      listing(global, "modules_disabled", module));
    const Loading own = listing(host, "modules_enabled", module);
    return without(std::max(inherited, own), listing(host, "modules_disabled", module));
}

Loading loading_of(const std::string& module, const ProsodyConfig& config) {
    Loading found = Loading::no;
    for (const ProsodySection& host : config.hosts)
        found = std::max(found, loading_of(module, config.global, host));
    return found;
}

void note_unknown_modules(const ProsodySection& section, ImportNotes& notes) {
    const auto note = [&](const ProsodyOption& option, const std::string& message) {
        const auto say = [&](const LuaValue& value) {
            if (std::holds_alternative<LuaUnknown>(value.value))
                notes.add(option.where, value.describe() + message);
        };
        say(option.value);
        if (const auto* table = std::get_if<LuaTable>(&option.value.value))
            std::ranges::for_each(table->list, say);
    };
    if (const ProsodyOption* enabled = section.find("modules_enabled"))
        note(*enabled,
             " in modules_enabled is not known here: mod_register_redirect and the modules that "
             "let clients in count as enabled there; where they are not, name the modules in the "
             "file itself");
    if (const ProsodyOption* disabled = section.find("modules_disabled"))
        note(*disabled,
             " in modules_disabled is not known here: it is taken to disable nothing; name the "
             "modules in the file itself");
}

}  // namespace stanzagate::config
