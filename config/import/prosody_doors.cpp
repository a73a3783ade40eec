#include "config/import/prosody_doors.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

namespace stanzagate::config {
namespace {

std::vector<Address> everywhere(const ProsodyOptions& global) {
    const auto is_off = [&](const std::string& name) {
        const ProsodyOption* use = global.find(name);
        const bool* value = use == nullptr ? nullptr : std::get_if<bool>(&use->value.value);
        return value != nullptr && !*value;
    };
    std::vector<Address> found;
    if (!is_off("use_ipv4")) found.push_back(*Address::parse("0.0.0.0"));
    if (!is_off("use_ipv6")) found.push_back(*Address::parse("::"));
    return found;
}

std::vector<Address> loopback() {
    return {*Address::parse("127.0.0.1"), *Address::parse("::1")};
}

std::vector<Address> interfaces(const ProsodyOptions& global, const std::string& service,
                                ImportNotes& notes) {
    std::string name;
    for (const std::string& other : {service + "_interfaces", service + "_interface",
                                     std::string("interfaces"), std::string("interface")})
        if (name.empty() && global.find(other) != nullptr) name = other;
    if (name.empty()) return everywhere(global);
    const ProsodyOption& option = *global.find(name);
    const bool unknown = std::holds_alternative<LuaUnknown>(option.value.value);
    const auto texts = global.texts_of(name, option);
    std::vector<Address> found;
    for (const std::string& text : texts) {
        if (text == "localhost") {
            std::ranges::copy(loopback(), std::back_inserter(found));
        } else if (const auto address = Address::parse(text == "*" ? "0.0.0.0" : text)) {
            found.push_back(*address);
        } else {
            notes.add(option.where, service + ": the interface " + in_quotes(text) +
                                        " is not an address, and is left out");
        }
    }
    if (!found.empty() || (texts.empty() && !unknown)) return found;
    // Not everywhere: the file says that it is less.
    notes.add(option.where, name +
                                ": no address is known of it, so the gate is given loopback "
                                "only, where clients do not come; write the addresses of these "
                                "interfaces into [[listen]]");
    return loopback();
}

std::vector<std::uint16_t> ports(const ProsodyOptions& global, const std::string& service,
                                 std::vector<std::uint16_t> otherwise, ImportNotes& notes) {
    const std::string name = service + "_ports";
    const auto texts = global.list(name);
    if (!texts) return otherwise;
    std::vector<std::uint16_t> found;
    for (const std::string& text : *texts) {
        const auto endpoint = Endpoint::parse("0.0.0.0:" + text);
        if (endpoint && endpoint->port > 0) {
            found.push_back(endpoint->port);
        } else {
            notes.add(global.where(name), name + ": " + in_quotes(text) + " is not a port");
        }
    }
    return found;
}

void add_doors(const ProsodyOptions& global, const std::string& service,
               std::vector<std::uint16_t> default_ports, std::vector<Endpoint>& doors,
               const std::vector<Endpoint>& others, ImportNotes& notes) {
    const auto all_ports = ports(global, service, std::move(default_ports), notes);
    if (all_ports.empty()) return;
    for (const Address& address : interfaces(global, service, notes)) {
        for (const std::uint16_t port : all_ports) {
            const Endpoint door{address, port};
            const auto is_in_the_way = [&](const Endpoint& other) { return overlap(other, door); };
            if (std::ranges::any_of(others, is_in_the_way)) {
                notes.add(
                    global.where(service + "_ports"),
                    service + "_ports: " + door.to_string() + " is taken already, in Prosody too");
                continue;
            }
            // Every address is more than one of them.
            if (!door.address.stands_for_all() && std::ranges::any_of(doors, is_in_the_way))
                continue;
            std::erase_if(doors, is_in_the_way);
            doors.push_back(door);
        }
    }
}

}  // namespace

ProsodyDoors prosody_doors(const ProsodyOptions& global, ImportNotes& notes) {
    ProsodyDoors doors;
    add_doors(global, "c2s", {5222}, doors.starttls, {}, notes);
    add_doors(global, "c2s_direct_tls", {}, doors.direct, doors.starttls, notes);
    add_doors(global, "legacy_ssl", {}, doors.direct, doors.starttls, notes);
    if (doors.starttls.empty() && doors.direct.empty()) {
        notes.add(global.where("c2s_ports"),
                  "c2s_ports: Prosody's mod_c2s has no port; the gate is given 5222");
        doors.starttls = {*Endpoint::parse("0.0.0.0:5222"), *Endpoint::parse("[::]:5222")};
    }
    return doors;
}

std::uint16_t port_behind(const ProsodyOptions& global, const ProsodyDoors& doors) {
    const auto is_taken = [&](std::uint16_t port) {
        const auto has = [&](const Endpoint& door) { return door.port == port; };
        return std::ranges::any_of(doors.starttls, has) || std::ranges::any_of(doors.direct, has);
    };
    if (const auto number = global.number("proxy_ports")) {
        const auto endpoint = Endpoint::parse("0.0.0.0:" + std::to_string(std::lround(*number)));
        if (endpoint && endpoint->port > 0 && !is_taken(endpoint->port)) return endpoint->port;
    }
    std::uint16_t port = 15222;
    while (is_taken(port)) ++port;
    return port;
}

}  // namespace stanzagate::config
