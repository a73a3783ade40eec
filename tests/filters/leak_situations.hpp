#pragma once

#include <string>
#include <vector>

namespace stanzagate::filters {

// A state of the session in which a request may come. The client's bytes are `lead`, the request,
// and more; then the upstream says `reply`, then `second_reply`.
struct Situation {
    const char* name;
    bool with_header;  // the client sends all of it together with its stream header
    std::string lead;
    std::string reply;
    std::string second_reply;
};

std::vector<Situation> situations();

}  // namespace stanzagate::filters
