#include "config/import/registration_table.hpp"

#include <algorithm>
#include <utility>

#include "config/import/toml_text.hpp"

namespace stanzagate::config {

RegistrationTable::RegistrationTable(RedirectSettings global,
                                     const std::vector<RedirectSettings>& hosts)
    : global_(std::move(global)) {
    const auto lacks_url = [](const RedirectSettings& host) { return !host.url; };
    const auto lacks_text = [](const RedirectSettings& host) { return !host.text; };
    if (std::ranges::any_of(hosts, lacks_url)) global_.url.reset();
    if (std::ranges::any_of(hosts, lacks_text)) global_.text.reset();
    const auto lacks_admins = [](const RedirectSettings& host) { return host.admins.empty(); };
    if (std::ranges::any_of(hosts, lacks_admins)) global_.admins.clear();
    // Where every host has the same, it is said once.
    if (hosts.size() == 1 || std::ranges::all_of(hosts, [&](const RedirectSettings& host) {
            return host == hosts.front();
        }))
        global_ = hosts.front();
}

std::string RegistrationTable::global() const {
    std::string out = "[registration]\nwhitelist = " + toml_list(global_.whitelist) + '\n';
    if (global_.url) out += "url       = " + toml_string(*global_.url) + '\n';
    if (global_.text) out += "text      = " + toml_string(*global_.text) + '\n';
    if (!global_.oob) out += "oob       = false\n";
    if (!global_.admins.empty()) out += "admins    = " + toml_list(global_.admins) + '\n';
    return out;
}

std::string RegistrationTable::of(const RedirectSettings& host) const {
    std::string out;
    if (host.whitelist != global_.whitelist)
        out += "whitelist = " + toml_list(host.whitelist) + '\n';
    if (host.url && host.url != global_.url) out += "url       = " + toml_string(*host.url) + '\n';
    if (host.text && host.text != global_.text)
        out += "text      = " + toml_string(*host.text) + '\n';
    if (host.oob != global_.oob)
        out += std::string("oob       = ") + (host.oob ? "true\n" : "false\n");
    if (!host.admins.empty() && host.admins != global_.admins)
        out += "admins    = " + toml_list(host.admins) + '\n';
    if (out.empty()) return out;
    return "[host.registration]\n" + out;
}

}  // namespace stanzagate::config
