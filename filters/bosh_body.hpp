#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "filters/stanza_framer.hpp"

// The <body/> of BOSH (XEP-0124 section 6, XEP-0206): reading a client's, writing the gate's.
namespace stanzagate::filters {

// A version as BOSH counts them: 1.10 is above 1.9.
struct BoshVersion {
    unsigned major_number = 0;
    unsigned minor_number = 0;
    auto operator<=>(const BoshVersion&) const = default;
};

// One request. What is not there is empty.
struct BoshBody {
    std::optional<std::uint64_t> rid;
    std::optional<std::string> sid;
    std::optional<std::string> to;
    std::optional<std::string> from;
    std::optional<std::string> lang;
    std::optional<std::string> content;
    std::optional<std::string> key;
    std::optional<std::string> newkey;
    std::optional<std::string> stream;
    std::optional<std::string> xmpp_version;  // of the stream
    std::optional<BoshVersion> ver;           // of BOSH
    std::optional<std::uint64_t> wait;        // seconds
    std::optional<std::uint64_t> hold;
    std::optional<std::uint64_t> pause;  // seconds
    std::optional<std::uint64_t> ack;
    bool terminate = false;
    bool restart = false;

    // Its elements, one behind the other, as they go into an XMPP stream: the bytes that came, with
    // the prefixes that were declared on <body/> declared where they are used. What had no
    // namespace but BOSH's own means jabber:client (XEP-0206 section 2), and so it does there.
    std::string payload;
};

inline constexpr std::uint64_t most_rid = 9007199254740991;  // XEP-0124 section 14.1

// Nothing where it is not a <body/> as XEP-0124 section 6 wants it, or over a limit, or an
// attribute that is a number is none, or an element in it is a stream header, or what is declared
// on <body/> would come to more than 16 KiB in its elements: bad-request. `limits` are those of the
// whole body, whose elements are on level 2.
std::optional<BoshBody> read_body(std::string_view bytes, const FrameLimits& limits);

// The `sid` that these bytes seem to have, so that limits can be chosen before they are read in
// earnest: looks at the beginning only, and judges nothing.
std::optional<std::string> sid_of(std::string_view bytes);

// A response. Attributes are in order and not yet escaped; one that is called xmpp:... gets its
// prefix declared. `payload` stands by itself; `declares_stream`: it is or may be told apart by the
// prefix stream: (XEP-0206 section 2).
using BodyAttributes = std::vector<std::pair<std::string_view, std::string>>;
std::string write_body(const BodyAttributes& attributes, std::string_view payload = {},
                       bool declares_stream = false);

}  // namespace stanzagate::filters
