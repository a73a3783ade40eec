#include "tests/proxy/mmdb_writer.hpp"

#include <algorithm>
#include <stdexcept>

namespace stanzagate::proxy::testing {
namespace mmdb {
namespace {

// Types above 7 are "extended": 0, and what is above 7 in a byte of its own.
std::string control(unsigned type, std::size_t size) {
    if (size > 28) throw std::runtime_error("MmdbWriter: longer values are not needed here");
    auto const low = static_cast<unsigned>(size);
    if (type <= 7) return {static_cast<char>(type << 5U | low)};
    return {static_cast<char>(low), static_cast<char>(type - 7)};
}

}  // namespace

std::string text(std::string_view value) {
    return control(2, value.size()) + std::string(value);
}

std::string number(std::uint64_t value, std::size_t bytes) {
    std::string digits;
    for (; value != 0; value >>= 8U) digits.insert(digits.begin(), static_cast<char>(value));
    return control(bytes == 2 ? 5 : bytes == 4 ? 6 : 9, digits.size()) + digits;
}

std::string array(const std::vector<std::string>& values) {
    auto encoded = control(11, values.size());
    for (auto const& value : values) encoded += value;
    return encoded;
}

std::string map(const std::vector<std::pair<std::string_view, std::string>>& values) {
    auto encoded = control(7, values.size());
    for (auto const& [key, value] : values) encoded += text(key) + value;
    return encoded;
}

}  // namespace mmdb

namespace {

constexpr std::size_t separator_size = 16;

std::string three_bytes(std::size_t number) {
    return {static_cast<char>(number >> 16U), static_cast<char>(number >> 8U),
            static_cast<char>(number)};
}

}  // namespace

void MmdbWriter::add(std::string_view text, const std::string& data) {
    auto const network = config::Network::parse(text).value();
    auto const base = network.base().bytes();
    config::Address::V6 bytes{};
    std::ranges::copy_backward(base, bytes.end());
    std::size_t const bits = network.prefix_length() + (network.base().is_v4() ? 96U : 0U);

    auto const leaf = first_data + data_.size();
    data_ += data;
    std::size_t node = 0;
    for (std::size_t bit = 0; bit < bits; ++bit) {
        auto const side = static_cast<unsigned>(bytes[bit / 8]) >> (7 - bit % 8) & 1U;
        if (bit + 1 == bits) {
            nodes_[node].next[side] = leaf;
            return;
        }
        auto const next = nodes_[node].next[side];
        if (next < nodes_.size()) {
            node = next;
            continue;
        }
        // Both halves go on to have what the whole had.
        nodes_.push_back({{next, next}});
        nodes_[node].next[side] = nodes_.size() - 1;
        node = nodes_.size() - 1;
    }
}

void MmdbWriter::add_country(std::string_view network, std::string_view country,
                             std::string_view registered_country) {
    std::vector<std::pair<std::string_view, std::string>> values;
    auto const add_key = [&](std::string_view key, std::string_view code) {
        if (code.empty()) return;
        values.emplace_back(key, mmdb::map({{"geoname_id", mmdb::number(2'661'886, 4)},
                                            {"iso_code", mmdb::text(code)}}));
    };
    values.emplace_back("continent", mmdb::map({{"code", mmdb::text("EU")}}));
    add_key("country", country);
    add_key("registered_country", registered_country);
    add(network, mmdb::map(values));
}

std::string MmdbWriter::write(std::string_view type) const {
    std::string file;
    for (auto const& node : nodes_) {
        for (auto const next : node.next) {
            if (next == nothing)
                file += three_bytes(nodes_.size());
            else if (next >= first_data)
                file += three_bytes(nodes_.size() + separator_size + next - first_data);
            else
                file += three_bytes(next);
        }
    }
    file += std::string(separator_size, '\0') + data_ + "\xab\xcd\xefMaxMind.com";
    return file + mmdb::map({{"node_count", mmdb::number(nodes_.size(), 4)},
                             {"record_size", mmdb::number(24, 2)},
                             {"ip_version", mmdb::number(6, 2)},
                             {"database_type", mmdb::text(type)},
                             {"languages", mmdb::array({mmdb::text("en")})},
                             {"binary_format_major_version", mmdb::number(2, 2)},
                             {"binary_format_minor_version", mmdb::number(0, 2)},
                             {"build_epoch", mmdb::number(1'700'000'000, 8)},
                             {"description", mmdb::map({{"en", mmdb::text("a test")}})}});
}

}  // namespace stanzagate::proxy::testing
