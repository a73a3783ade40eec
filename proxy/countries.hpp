#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "config/address.hpp"
#include "config/diagnostics.hpp"

struct MMDB_s;

namespace stanzagate::proxy {

// In which country an address is: a database in the MaxMind DB format with GeoLite2's keys.
// Immutable, and safe to ask from any thread. What becomes of the file afterwards does not matter,
// whoever overwrites, cuts or removes it: it was copied into memory.
class Countries {
public:
    // What is wrong with the file goes to `diagnostics`, at the key of the configuration that named
    // it. A database of another kind is only warned of.
    static std::shared_ptr<const Countries> load(const std::filesystem::path& file,
                                                 const config::Position& where,
                                                 config::Diagnostics& diagnostics);

    // "SE": ISO 3166-1 alpha-2 in upper case; empty where it is not known. It is `country`, where
    // the address is used. `registered_country`, where its owner has an office, is not looked at:
    // it says nothing about who uses the address, and rules are about them.
    std::string of(const config::Address& address) const;

private:
    struct Close {
        void operator()(MMDB_s* database) const;
    };
    using Database = std::unique_ptr<MMDB_s, Close>;

    explicit Countries(Database database) : database_(std::move(database)) {}

    Database database_;
};

}  // namespace stanzagate::proxy
