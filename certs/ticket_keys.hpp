#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "config/diagnostics.hpp"

namespace stanzagate::certs {

// One secret that session tickets are sealed with. Wiped at its end.
struct TicketKey {
    static constexpr std::size_t size = 80;

    std::array<unsigned char, size> bytes{};

    TicketKey() = default;
    TicketKey(const TicketKey&) = default;
    TicketKey& operator=(const TicketKey&) = default;
    ~TicketKey();

    // As OpenSSL, nginx and HAProxy lay them. The name stands in every ticket, in the clear.
    std::span<const unsigned char, 16> name() const { return std::span(bytes).first<16>(); }
    std::span<const unsigned char, 32> hmac() const { return std::span(bytes).subspan<16, 32>(); }
    std::span<const unsigned char, 32> aes() const { return std::span(bytes).last<32>(); }
};

// The keys of one time: one seals new tickets, all open those that clients bring. The same for all
// workers, so that a client resumes on whichever it meets; from a file, for all machines that have
// it. Immutable; copies share the keys, which are wiped with the last one.
class TicketKeys {
public:
    // A fresh random key. Throws std::runtime_error where there is no randomness.
    static TicketKeys generate();
    // A fresh one that seals, and the one that sealed so far, which still opens.
    TicketKeys rotated() const;

    // Reads a file with one key a line, base64 of 80 bytes; empty lines, and comments from a # on.
    // The last but one seals, or the only one: so each machine can open what is sealed by those
    // that have had the next file for a while, or do not have it yet. What is wrong goes to
    // `diagnostics`, at the line of the file or at `where`, which names the file; a key itself is
    // never quoted.
    static std::optional<TicketKeys> load(const std::filesystem::path& file,
                                          const config::Position& where,
                                          config::Diagnostics& diagnostics);
    // The same for what was in the file.
    static std::optional<TicketKeys> parse(std::string_view text, const std::filesystem::path& file,
                                           const config::Position& where,
                                           config::Diagnostics& diagnostics);

    const TicketKey& sealing() const { return keys_->at(sealing_); }
    // nullptr where there is none of this name.
    const TicketKey* find(std::span<const unsigned char, 16> name) const;
    std::size_t count() const { return keys_->size(); }
    bool operator==(const TicketKeys& other) const;

private:
    using Keys = std::vector<TicketKey>;

    TicketKeys(std::shared_ptr<const Keys> keys, std::size_t sealing)
        : keys_(std::move(keys)), sealing_(sealing) {}

    std::shared_ptr<const Keys> keys_;  // at least one
    std::size_t sealing_ = 0;
};

}  // namespace stanzagate::certs
