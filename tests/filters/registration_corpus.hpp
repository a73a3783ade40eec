#pragma once

#include <optional>
#include <string>
#include <vector>

namespace stanzagate::filters {

// A registration request in one of the many forms it can be written in.
struct CorpusRequest {
    std::string xml;
    std::optional<std::string> id;  // as a parser reads it
    std::optional<std::string> to;
    // Two servers could read it in two ways: answered with bad-request, whoever asks.
    bool ambiguous = false;
    // It says something that some server could read in another way: never forwarded.
    bool misleading = false;
    // Every domain that it names forwards a whitelisted client's requests.
    bool at_home = true;
};

// Each form alone, then `mixed` random mixtures of them. Namespaces are declared in the request
// itself, except for the prefixes of `corpus_header`.
std::vector<CorpusRequest> registration_corpus(std::size_t mixed, unsigned seed);

// Declares the prefixes `hc` (jabber:client) and `hr` (jabber:iq:register).
extern const char* const corpus_header;

// First-level elements that look much like a registration request, and are none.
std::vector<std::string> lookalikes();

}  // namespace stanzagate::filters
