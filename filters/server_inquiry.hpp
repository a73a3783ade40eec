#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filters/frame.hpp"
#include "filters/stanza_framer.hpp"

namespace stanzagate::filters {

// Which server it is, by how it writes its stream; none of them says so before authentication.
enum class ServerKind : std::uint8_t { unknown, prosody, ejabberd };

// What its features offer, as far as it matters to a gate that stands before it.
struct OfferedFeatures {
    bool starttls = false;
    bool starttls_required = false;
    bool compression = false;              // XEP-0138
    bool registration = false;             // XEP-0077
    bool channel_binding_types = false;    // XEP-0440
    std::vector<std::string> mechanisms;   // of SASL and of SASL2, each once
    std::optional<std::size_t> max_bytes;  // XEP-0478

    bool operator==(const OfferedFeatures&) const = default;
};

// What came of asking how to register (XEP-0077 section 3.1).
enum class RegistrationReply : std::uint8_t {
    none,      // not asked, or no answer
    form,      // fields to fill in: who asked may register, as far as a `get` tells
    redirect,  // text or a url in place of fields
    refused,   // an error
};

struct ServerAnswers {
    ServerKind kind = ServerKind::unknown;
    std::optional<OfferedFeatures> features;
    bool asked_to_register = false;
    RegistrationReply registration = RegistrationReply::none;
    std::string refusal;       // the condition, where registration was refused
    std::string stream_error;  // the condition, where the server ended the stream with one
    bool no_xmpp = false;      // what came is no XMPP stream, or not from some byte on

    bool operator==(const ServerAnswers&) const = default;
};

// A client that only wants to know how the server is set up: opens a stream, reads its features and
// asks how to register. It never registers and never logs in: nothing is changed. Pure.
//   opening() goes out first; receive()* until done()
class ServerInquiry {
public:
    // `host`: the stream's `to`.
    explicit ServerInquiry(std::string_view host);

    const std::string& opening() const { return opening_; }
    // What to send next, often nothing.
    std::string receive(std::string_view bytes);

    // There is nothing more to learn on this stream.
    bool done() const { return done_; }
    const ServerAnswers& answers() const { return answers_; }

private:
    std::string on_element(const Frame& element);
    std::string on_features(const Frame& features);
    void on_reply(const Frame& iq);
    void read_inside(const Element& child, const Frame& stanza,
                     const std::function<void(const Frame&)>& read) const;

    StanzaFramer framer_;
    std::string host_;
    std::string opening_;
    std::string server_header_;  // as it came
    ServerAnswers answers_;
    bool done_ = false;
};

}  // namespace stanzagate::filters
