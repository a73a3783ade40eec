#pragma once

#include <filesystem>
#include <string>
#include <variant>

#include "config/address.hpp"

namespace stanzagate::config {

// Where metrics, health and the status page are served: a TCP address, or the path of a UNIX
// socket.
struct AdminAddress {
    std::variant<Endpoint, std::filesystem::path> where;

    // What fits into a socket's address (sockaddr_un), with the zero behind it.
    static constexpr std::size_t most_path_bytes = 107;

    const Endpoint* endpoint() const { return std::get_if<Endpoint>(&where); }
    const std::filesystem::path* socket() const {
        return std::get_if<std::filesystem::path>(&where);
    }
    // Nobody on another machine can connect to it.
    bool is_local() const { return !endpoint() || endpoint()->address.is_loopback(); }
    std::string to_string() const {
        return endpoint() ? endpoint()->to_string() : "unix:" + socket()->string();
    }
    bool operator==(const AdminAddress&) const = default;
};

}  // namespace stanzagate::config
