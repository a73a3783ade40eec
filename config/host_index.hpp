#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config/host_pattern.hpp"

namespace stanzagate::config {

// Finds the host for a name at a cost that does not grow with the number of hosts: an exact name
// before wildcards, the longest wildcard before "*".
class HostIndex {
public:
    // `place` is what find() returns. Of equal patterns the first one stays.
    void add(const HostPattern& pattern, std::size_t place);

    std::optional<std::size_t> find(std::string_view name) const;
    // How many patterns have been added.
    std::size_t size() const { return size_; }

    bool operator==(const HostIndex&) const = default;

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    using Places = std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>>;

    std::optional<std::size_t> find_wildcard(std::string_view name) const;

    Places exact_;
    Places wildcards_;  // by what follows "*."
    std::size_t longest_wildcard_ = 0;
    std::optional<std::size_t> any_;
    std::size_t size_ = 0;
};

}  // namespace stanzagate::config
