#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The XMPP that both ends of a run speak. No parser: both know what the other says, so looking for
// a few words is enough, and cheap.
namespace stanzagate::load {

// Something to send, and how the answer to it ends: at the first '>' from `awaited` on.
struct Step {
    std::string send;
    std::string_view awaited;
};
using Script = std::vector<Step>;

std::string stream_header(std::string_view host);
inline constexpr std::string_view stream_end = "</stream:stream>";
inline constexpr std::string_view features_end = "</stream:features";

// Each begins behind a door that is open, and sends the stream header first, which is the door's.
Script greeting(const std::string& header);
Script login(const std::string& header, std::string_view resource = "load");
Script registration(const std::string& header);

// A message of exactly `bytes` bytes; the least is what the empty one takes.
std::string message(std::size_t bytes);

// What stands by itself says its namespace (RFC 7395 section 3.3.3, XEP-0206 section 2), unless it
// does already.
std::string with_namespace(std::string_view stanza);

// Where the first '>' from `word` on ends; npos: not there yet.
std::size_t end_of(std::string_view text, std::string_view word);

// A server's side of the same, one for each connection: what it answers to what it was sent.
class ServerSide {
public:
    // Takes what it understands off `received`, and returns what to send.
    std::string answer(std::string& received);
    bool authenticated() const { return state_ != State::fresh; }
    bool bound() const { return state_ == State::bound; }
    const std::string& resource() const { return resource_; }  // that it asked for

    // The same where elements come one by one: what a new stream begins with, and what one of these
    // is answered with.
    std::string features() const;
    std::string answer_element(std::string_view element);

private:
    enum class State { fresh, authenticated, bound };

    std::string on_header() const;
    std::string on_iq(std::string_view iq);

    State state_ = State::fresh;
    std::string resource_;
};

}  // namespace stanzagate::load
