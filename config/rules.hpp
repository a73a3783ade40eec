#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/address.hpp"
#include "config/diagnostics.hpp"
#include "config/host_pattern.hpp"
#include "config/registration.hpp"
#include "config/schedule.hpp"

// What a rule file can say (contract: "Rule files"), as plain values.
namespace stanzagate::config {

enum class Action : std::uint8_t { forward, redirect, refuse, close };
enum class Transport : std::uint8_t { starttls, direct, websocket, bosh };
enum class QuotaBy : std::uint8_t { address, network, host, all };

// Holds as long as fewer than `count` registrations have succeeded within `per`, counted apart for
// each address (an IPv6 /64 is one), network (/24, /48), host, or all together.
struct Quota {
    std::size_t count = 0;
    std::chrono::milliseconds per{};
    QuotaBy by = QuotaBy::address;

    bool operator==(const Quota&) const = default;
};

// Addresses, written out or by the name of a list. One of them is enough.
struct AddressMatch {
    std::vector<Network> networks;
    std::vector<std::size_t> lists;  // places in Config::lists

    bool operator==(const AddressMatch&) const = default;
};

// A list of networks that rules name as "@name". What its file holds is not part of the
// configuration: it changes on its own.
struct NamedList {
    std::string name;
    std::vector<Network> networks;
    std::optional<std::filesystem::path> file;
    Position where;  // of the list, or of the value of `file`

    bool operator==(const NamedList&) const = default;
};

// What a rule says instead of [registration].
struct RuleAnswer {
    std::optional<TextTemplate> url;
    std::optional<RegistrationTexts> text;
    std::optional<bool> oob;
    std::optional<Refusal> refusal;

    bool operator==(const RuleAnswer&) const = default;
};

// One [[rule]]. A key that is absent (an empty list) holds for everybody; all that are present must
// hold.
struct Rule {
    std::string name;
    // "FILE:NAME". The same rule has the same one after a reload, and wherever it stands: quotas
    // are counted by it.
    std::string id;
    std::vector<HostPattern> hosts;
    std::optional<AddressMatch> from;
    std::optional<AddressMatch> not_from;
    std::vector<Transport> transports;
    std::vector<std::string> countries;  // ISO 3166-1 alpha-2, in capitals
    std::vector<std::string> dns_lists;  // zones, in lower case, without a dot at the end
    std::optional<bool> invited;
    std::optional<Schedule> during;
    std::optional<Quota> quota;
    Action action = Action::redirect;
    std::chrono::milliseconds delay{};
    RuleAnswer answer;  // empty for `forward` and `close`
    Position where;     // of the value of `name`

    bool operator==(const Rule&) const = default;
};

// What answers a client whom a rule with this answer decided. Where the rule redirects or refuses,
// load() has made sure that it can.
Registration with_overrides(const Registration& registration, const RuleAnswer& answer);

}  // namespace stanzagate::config
