#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bench/load/xmpp.hpp"

// What the two ends of a soak's session say to each other. A number makes each stanza, so that who
// hears it knows every byte that must come.
namespace stanzagate::load {

// What was said or heard in a session: a stream is the same at both ends where these are.
struct Tally {
    std::uint64_t stanzas = 0;
    std::uint64_t bytes = 0;
    std::uint64_t digest = 0xcbf29ce484222325U;  // FNV-1a, of all bytes in their order

    void add(std::string_view some);
    bool operator==(const Tally&) const = default;
};

// One end of one session.
class Voice {
public:
    enum class Kind : char {
        text = 't',   // characters of 1 to 4 bytes: what goes over HTTP is parsed
        bytes = 'b',  // half of the stanzas, for the others hold whatever bytes there are
        bulk = 'k',   // the same, and much of it
    };
    enum class End : std::uint8_t { client, server };

    Voice(std::uint64_t seed, std::uint64_t session, Kind kind, End end);
    std::string stanza(std::uint64_t number) const;

private:
    std::uint64_t seed_;
    std::uint64_t session_;
    Kind kind_;
    End end_;
};

// The last thing that an end says: how the session shall end, and what it has said before.
struct Last {
    std::string how;
    Tally said;
};
std::string last_words(const Last& last);

// Compares what comes with what was said, byte by byte, in whatever pieces it comes. After the last
// words nothing may come but the end of the stream, which a gate says for who ends a BOSH session.
class Ear {
public:
    explicit Ear(const Voice& voice) : voice_(voice) {}

    // How many stanzas are whole now that were not before. Throws where a byte is not the one that
    // was said, and tells its place.
    std::uint64_t hear(std::string_view bytes);
    const Tally& heard() const { return heard_; }
    const std::optional<Last>& last() const { return last_; }

private:
    std::string_view compare(std::string_view bytes);
    std::string_view hear_last(std::string_view bytes);
    std::string_view hear_end(std::string_view bytes);

    Voice voice_;
    Tally heard_;
    Tally before_stanza_;
    std::string expected_;  // the stanza that is under way
    std::size_t at_ = 0;    // so much of it is there
    std::string last_words_;
    std::string_view end_ = stream_end;  // what of it may still come
    std::optional<Last> last_;
};

}  // namespace stanzagate::load
