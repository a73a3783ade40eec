#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "certs/identity.hpp"
#include "config/config.hpp"
#include "config/diagnostics.hpp"

namespace stanzagate::certs {

// What a host shows: one identity, or one for each kind of key (ECDSA, RSA), of which each client
// is shown one that it can check. Immutable.
class IdentitySet {
public:
    // Reads all of them, in their order; a second one of the same kind is an error. What is wrong
    // goes to `diagnostics`; the result is there only where no error was found.
    static std::optional<IdentitySet> load(std::span<const config::HostCertificate> files,
                                           config::Diagnostics& diagnostics, TimePoint now);
    explicit IdentitySet(Identity identity);

    // At least one.
    std::span<const Identity> all() const { return identities_; }
    // Whether each of them does.
    bool covers(std::string_view name) const;
    bool covers_some_below(std::string_view parent) const;
    // The first of them that does.
    TimePoint expires() const;
    // The files of the certificates, for messages; "" where they were made in memory.
    const std::string& name() const { return name_; }
    bool made_in_memory() const { return name_.empty(); }
    // Would clients be shown the same, and from the same files?
    bool same_as(const IdentitySet& other) const;

private:
    IdentitySet() = default;

    std::vector<Identity> identities_;
    std::string name_;
};

}  // namespace stanzagate::certs
