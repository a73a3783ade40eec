#pragma once

#include <string>
#include <string_view>

namespace stanzagate::config {

// What a [[host]] or a rule is for: "example.org", any name below it ("*.example.org", however many
// labels), or every name ("*"). Compared without regard to ASCII case.
struct HostPattern {
    enum class Kind { exact, wildcard, any };
    Kind kind = Kind::exact;
    std::string name;  // lower case; for a wildcard what follows "*."; empty for any

    bool matches(std::string_view host) const;
    // Whether every name that `other` matches is matched by this one.
    bool covers(const HostPattern& other) const;
    std::string to_string() const;
    bool operator==(const HostPattern&) const = default;
};

}  // namespace stanzagate::config
