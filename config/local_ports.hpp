#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "config/config.hpp"
#include "config/diagnostics.hpp"

// Each session takes a port of this machine for its connection to the upstream, and towards one
// address of an upstream there are only so many.
namespace stanzagate::config {

// How many ports a range such as "32768\t60999\n" has; nothing where it is none.
std::optional<std::size_t> ports_in(std::string_view range);

// Of this machine (net.ipv4.ip_local_port_range, for IPv6 too); nothing where it does not tell.
std::optional<std::size_t> local_ports();

// Warns of a limit on connections, which is written at `where`, that so few ports cannot serve: of
// one that the operator has chosen, since the default is more than most will ever need.
void warn_of_few_ports(const Config& config, std::size_t ports, const Position& where,
                       Diagnostics& diagnostics);

}  // namespace stanzagate::config
