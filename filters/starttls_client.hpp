#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "filters/stanza_framer.hpp"

namespace stanzagate::filters {

// The client's part of STARTTLS (RFC 6120 section 5), towards an upstream that wants TLS on its
// leg. Pure.
//   opening() goes out first; receive()* until the state is no longer `waiting`. Then either TLS
//   begins, or failure() says why not.
class StartTlsClient {
public:
    enum class State : std::uint8_t { waiting, proceed, failed };

    explicit StartTlsClient(std::string_view host);

    const std::string& opening() const { return opening_; }
    // What to send next, often nothing.
    std::string receive(std::string_view bytes);

    State state() const { return state_; }
    std::string_view failure() const { return failure_; }

private:
    void fail(std::string_view why);
    void on_element(const Frame& element, std::string& to_send);

    StanzaFramer framer_;
    std::string opening_;
    State state_ = State::waiting;
    bool asked_ = false;
    std::string_view failure_;
};

}  // namespace stanzagate::filters
