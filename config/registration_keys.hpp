#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/diagnostics.hpp"
#include "config/registration.hpp"
#include "config/section.hpp"

// The keys that say how registration is answered, as written, before one table is laid over the
// other. Only for the readers.
namespace stanzagate::config {

// A key that was written.
template <class T>
struct Given {
    std::optional<T> value;  // absent: what was written is wrong, and has been reported
    Position where;
    std::string key;  // for messages: "host.registration.url"
};

struct RegistrationUrl {
    TextTemplate text;
    std::string scheme;  // lower case
    std::string written;
};

// [registration], [host.registration], or the part of it that a [[rule]] may have.
struct RegistrationKeys {
    std::optional<Position> table;  // absent: there is no such table
    std::optional<Given<std::vector<Network>>> whitelist;
    std::optional<Given<RegistrationUrl>> url;
    std::optional<Given<RegistrationTexts>> text;
    std::optional<Given<bool>> oob;
    std::optional<Given<std::vector<std::string>>> admins;
    std::optional<Given<Refusal>> refusal;
    std::optional<Given<Advertise>> advertise;
    std::optional<Given<std::vector<Located<std::string>>>> rules;  // paths and patterns
};

RegistrationKeys read_registration(Section section);
// url, text, oob and refusal, which a [[rule]] may have too.
RegistrationKeys read_answer(Section& section);
Given<RegistrationUrl> read_registration_url(Section& section, std::string_view key);

// Whether every character may stand in XML 1.0; what goes into replies must.
bool is_xml_text(std::string_view utf8);

// Lays `above` over `below`, key by key.
RegistrationKeys merge(const RegistrationKeys& below, const RegistrationKeys& above);

// Why these keys together cannot answer a client; nullopt where they can, or where one of them is
// wrong anyway. `nowhere` is the place to point at where no key is to blame.
std::optional<Diagnostic> find_fault(const RegistrationKeys& keys, const Position& nowhere);
// A text that speaks of a url that is not there.
std::optional<Diagnostic> find_doubt(const RegistrationKeys& keys);

// Many hosts can share one fault.
void report_once(std::optional<Diagnostic> found, Diagnostics& diagnostics);

template <class T>
const T* value_of(const std::optional<Given<T>>& given) {
    return given && given->value ? &*given->value : nullptr;
}

}  // namespace stanzagate::config
