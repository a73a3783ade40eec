#include "filters/instructions.hpp"

#include <algorithm>
#include <utility>

namespace stanzagate::filters {
namespace {

using config::TextTemplate;

constexpr std::string_view generated_language = "en";

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same_tag(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

// RFC 4647 section 3.4: the range is made shorter from its end until a tag equals it; a single
// letter or digit that is then last goes too.
std::string_view shorten(std::string_view range) {
    auto const dash = range.rfind('-');
    if (dash == std::string_view::npos) return {};
    range = range.substr(0, dash);
    if (range.size() >= 2 && range[range.size() - 2] == '-') range.remove_suffix(2);
    return range;
}

using Text = std::pair<std::string, TextTemplate>;

// The default, where no tag fits: a text without a tag, else English, else the first one written.
const Text& look_up(const std::vector<Text>& texts, std::string_view range) {
    auto const find = [&](std::string_view tag) {
        return std::find_if(texts.begin(), texts.end(),
                            [&](auto const& text) { return same_tag(text.first, tag); });
    };
    for (; !range.empty(); range = shorten(range))
        if (auto const found = find(range); found != texts.end()) return *found;
    for (std::string_view const fallback : {std::string_view{}, generated_language})
        if (auto const found = find(fallback); found != texts.end()) return *found;
    return texts.front();
}

std::string contact(std::string_view host, std::string_view whom) {
    std::string text = "Please contact ";
    text += host;
    text += "'s server administrator via xmpp to register an account on this server at: ";
    text += whom;
    return text;
}

// The sentence that a url makes by its scheme; empty where it makes none.
std::string generated(std::string_view host, std::string_view url) {
    auto const colon = url.find(':');
    if (colon == std::string_view::npos) return {};
    auto const scheme = url.substr(0, colon);
    auto const rest = std::string(url.substr(colon + 1));
    if (same_tag(scheme, "http") || same_tag(scheme, "https"))
        return "Please visit " + std::string(url) + " to register an account on this server.";
    if (same_tag(scheme, "mailto"))
        return "Please send an e-mail at " + rest + " to register an account on this server.";
    if (same_tag(scheme, "xmpp")) return contact(host, rest);
    return {};
}

}  // namespace

Instructions instructions_for(const config::Registration& registration, std::string_view host,
                              const std::optional<config::Address>& address,
                              std::string_view lang) {
    auto const address_text = address ? address->to_string() : std::string("unknown");
    TextTemplate::Values values{host, {}, address_text, lang};
    std::string url;
    if (registration.url) url = registration.url->expand(values, TextTemplate::Escape::percent);

    Instructions instructions;
    instructions.lang = generated_language;
    if (registration.oob) instructions.oob_url = url;
    if (!registration.text.empty()) {
        auto const& [tag, text] = look_up(registration.text, lang);
        if (!tag.empty()) instructions.lang = tag;
        values.url = url;
        instructions.text = text.expand(values);
    } else if (registration.oob && registration.url) {
        instructions.text = generated(host, url);
    } else if (!registration.admins.empty()) {
        instructions.text = contact(host, registration.admins.front());
    }
    return instructions;
}

}  // namespace stanzagate::filters
