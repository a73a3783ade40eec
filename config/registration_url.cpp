// registration.url, and what may go into the XML of a reply.
#include <algorithm>
#include <charconv>
#include <string>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "config/host_name.hpp"
#include "config/readers.hpp"

namespace stanzagate::config {
namespace {

bool is_scheme_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '.';
}

// RFC 3986, section 3.1; lower case, empty where there is none.
std::string scheme_of(std::string_view url) {
    const std::size_t colon = url.find(':');
    if (colon == std::string_view::npos || colon == 0) return {};
    const std::string_view scheme = url.substr(0, colon);
    const char first = scheme.front();
    const bool starts_with_letter =
        (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
    if (!starts_with_letter || !std::ranges::all_of(scheme, is_scheme_character)) return {};
    return ascii_lower(scheme);
}

// An empty one is the scheme's own, RFC 3986, section 3.2.3. The library accepts any digits.
bool is_port(std::string_view digits) {
    if (digits.empty()) return true;
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return error == std::errc{} && port > 0 && port <= 65535;
}

// What is wrong with an http or https url, its placeholders filled in; empty if nothing.
std::string wrong_with_web_url(const TextTemplate& url) {
    const std::string filled_in =
        url.expand({.host = "example.org", .url = {}, .address = "2001:db8::1", .lang = "en"},
                   TextTemplate::Escape::percent);
    const auto parsed = boost::urls::parse_uri(filled_in);
    if (!parsed)
        return "is not a valid url; characters outside ASCII, spaces and the like must be "
               "percent-encoded";
    if (!parsed->has_authority() || parsed->host().empty()) return "names no web server";
    if (parsed->has_port() && !is_port(parsed->port())) return "has no valid port";
    return {};
}

// The same for any url. RFC 3986, section 2: a url has neither braces nor letters outside ASCII.
std::string wrong_with(const RegistrationUrl& url) {
    const std::string literal = url.text.expand({}, TextTemplate::Escape::percent);
    if (literal.find_first_of("{}") != std::string::npos)
        return "has a brace, which cannot stand in a url: write \"%7B\" for \"{\" and \"%7D\" for "
               "\"}\"";
    if (url.scheme == "http" || url.scheme == "https") return wrong_with_web_url(url.text);
    if (url.written.size() == url.scheme.size() + 1) return "has nothing after its scheme";
    const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; };
    if (std::ranges::any_of(url.written, is_blank)) return "has a space or a control character";
    const auto is_outside_ascii = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
    if (std::ranges::any_of(url.written, is_outside_ascii))
        return "has characters outside ASCII, which must be percent-encoded";
    return {};
}

std::optional<RegistrationUrl> parse_url(Section& section, std::string_view key,
                                         std::string written) {
    std::string scheme = scheme_of(written);
    if (scheme.empty()) {
        section.error(key, in_quotes(written) +
                               " has no scheme; write it as in \"https://example.org/register\", "
                               "\"mailto:admin@example.org\" or \"xmpp:admin@example.org\"");
        return std::nullopt;
    }
    auto parsed = TextTemplate::parse(written);
    if (auto* wrong = std::get_if<std::string>(&parsed)) {
        section.error(key, std::move(*wrong));
        return std::nullopt;
    }
    RegistrationUrl url{.text = std::move(std::get<TextTemplate>(parsed)),
                        .scheme = std::move(scheme),
                        .written = std::move(written)};
    if (url.text.uses(TextTemplate::Placeholder::url)) {
        section.error(key, "the placeholder {url} cannot stand in the url itself");
        return std::nullopt;
    }
    std::string wrong =
        is_xml_text(url.written) ? wrong_with(url) : "has a character that XML cannot carry";
    if (!wrong.empty()) {
        section.error(key, in_quotes(url.written) + ' ' + wrong);
        return std::nullopt;
    }
    return url;
}

}  // namespace

Given<RegistrationUrl> read_registration_url(Section& section, std::string_view key) {
    Given<RegistrationUrl> result{
        .value = std::nullopt, .where = section.where(key), .key = section.dotted(key)};
    std::string written;
    if (section.string(key, written)) result.value = parse_url(section, key, std::move(written));
    return result;
}

bool is_xml_text(std::string_view utf8) {
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
    };
    // U+FFFE and U+FFFF; the TOML reader has already refused what is not UTF-8.
    return std::ranges::none_of(utf8, is_control) &&
           utf8.find("\xef\xbf\xbe") == std::string_view::npos &&
           utf8.find("\xef\xbf\xbf") == std::string_view::npos;
}

}  // namespace stanzagate::config
