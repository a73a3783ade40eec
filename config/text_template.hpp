#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stanzagate::config {

// A text or url of the operator with placeholders: {host} {url} {address} {lang}; `{{` is a brace.
// Parsed once, when the configuration is read; expanded for each reply.
class TextTemplate {
public:
    enum class Placeholder { host, url, address, lang };
    enum class Escape { none, percent };  // percent: RFC 3986, all but unreserved characters

    // Views that expand() reads; they need to live only that long.
    struct Values {
        std::string_view host;
        std::string_view url;
        std::string_view address;
        std::string_view lang;
    };

    // Either the template or what is wrong with the text ("unknown placeholder {hots}; ...").
    static std::variant<TextTemplate, std::string> parse(std::string_view text);

    TextTemplate() = default;
    bool uses(Placeholder placeholder) const;
    std::string expand(const Values& values, Escape escape = Escape::none) const;
    bool empty() const { return parts_.empty(); }

    bool operator==(const TextTemplate&) const = default;

private:
    std::vector<std::variant<std::string, Placeholder>> parts_;
};

}  // namespace stanzagate::config
