#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/address.hpp"

namespace stanzagate::proxy::testing {

// A value of the MaxMind DB format 2.0, encoded.
namespace mmdb {

std::string text(std::string_view value);
std::string number(std::uint64_t value, std::size_t bytes);  // of 2, 4 or 8 bytes at most
std::string array(const std::vector<std::string>& values);
std::string map(const std::vector<std::pair<std::string_view, std::string>>& values);

}  // namespace mmdb

// Makes a small database: an IPv6 tree with IPv4 in ::/96 and 24-bit records. What is added later
// lies over what was before, and must not be wider.
class MmdbWriter {
public:
    // `data` is an encoded value.
    void add(std::string_view network, const std::string& data);
    // As GeoLite2-Country has it; empty: without that key.
    void add_country(std::string_view network, std::string_view country,
                     std::string_view registered_country = "");
    // The whole file.
    std::string write(std::string_view type = "GeoLite2-Country") const;

private:
    static constexpr std::size_t nothing = SIZE_MAX;
    static constexpr std::size_t first_data = SIZE_MAX / 2;  // less: a node

    struct Node {
        std::size_t next[2] = {nothing, nothing};
    };

    std::vector<Node> nodes_{1};
    std::string data_;
};

}  // namespace stanzagate::proxy::testing
