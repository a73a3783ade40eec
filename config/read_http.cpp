// [http]: where the doors of HTTP are, and whose pages may use them.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/origin.hpp"
#include "config/readers.hpp"

namespace stanzagate::config {
namespace {

bool is_hexadecimal(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// RFC 3986, section 3.3: pchar, or the "/" between segments.
bool may_stand_in_path(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~!$&'()*+,;=:@%/").find(c) != std::string_view::npos;
}

bool has_broken_escape(std::string_view path) {
    for (std::size_t at = 0; (at = path.find('%', at)) != std::string_view::npos; ++at)
        if (at + 2 >= path.size() || !is_hexadecimal(path[at + 1]) || !is_hexadecimal(path[at + 2]))
            return true;
    return false;
}

// Clients resolve such segments before they ask.
bool has_dot_segment(std::string_view path) {
    const std::string with_end = std::string(path) + '/';
    return with_end.find("/./") != std::string::npos || with_end.find("/../") != std::string::npos;
}

// What is wrong with it, "" where nothing is.
std::string_view fault_of(std::string_view path) {
    if (!path.starts_with('/')) return "must start with \"/\"";
    if (path.find('?') != std::string_view::npos || path.find('#') != std::string_view::npos)
        return "is a path with a query or a fragment; leave out all from the \"?\" or \"#\" on";
    if (!std::ranges::all_of(path, may_stand_in_path))
        return "has a character that cannot stand in a path; percent-encode it, as in \"%20\"";
    if (has_broken_escape(path)) return "has a \"%\" without two hexadecimal digits after it";
    if (has_dot_segment(path)) return "has \".\" or \"..\" for a segment, which clients resolve";
    if (path.starts_with("//"))
        return "must not start with \"//\", after which a host would follow";
    if (path == "/.well-known/host-meta" || path == "/.well-known/host-meta.json")
        return "is where XEP-0156 wants the document that host_meta is about";
    return {};
}

bool read_path(Section& section, std::string_view key, std::string& to) {
    std::string path;
    if (!section.string(key, path)) return false;
    if (const std::string_view fault = fault_of(path); !fault.empty()) {
        section.error(key, in_quotes(path) + ' ' + std::string(fault));
        return false;
    }
    to = std::move(path);
    return true;
}

void read_paths(Section& section, Http& http) {
    const bool gives_websocket = read_path(section, "websocket_path", http.websocket_path);
    const bool gives_bosh = read_path(section, "bosh_path", http.bosh_path);
    if (http.websocket_path != http.bosh_path || !(gives_websocket || gives_bosh)) return;
    section.error(gives_bosh ? "bosh_path" : "websocket_path",
                  in_quotes(http.bosh_path) + " is also the " +
                      (gives_bosh ? "websocket_path" : "bosh_path") + "; they must differ");
}

std::string_view advice_about(std::string_view origin) {
    constexpr std::string_view form =
        "; write it as in \"https://example.org\" or \"https://example.org:8443\"";
    const std::size_t mark = origin.find("://");
    if (mark == std::string_view::npos) {
        if (origin == "null")
            return ", but what pages without one send (local files, sandboxed frames); only \"*\" "
                   "allows these";
        return form;
    }
    const std::string_view rest = origin.substr(mark + 3);
    if (rest.find('*') != std::string_view::npos)
        return "; there are no patterns, write each origin out, or \"*\" alone for all";
    if (rest.find_first_of("/?#") != std::string_view::npos)
        return ": nothing may follow the host and the port, not even a \"/\"";
    if (std::ranges::any_of(rest, [](char c) { return static_cast<unsigned char>(c) > 127; }))
        return "; give the name in its xn-- form, as browsers send it";
    return form;
}

void read_origins(Section& section, Http& http) {
    std::vector<Located<std::string>> written;
    section.strings("allow_origins", written);
    if (!section.has("allow_origins")) return;
    http.allow_origins.clear();
    for (const auto& [text, where] : written) {
        if (text == "*" || is_origin(text)) {
            http.allow_origins.push_back(text);
        } else {
            section.error("allow_origins", where,
                          in_quotes(text) + " is no origin" + std::string(advice_about(text)));
        }
    }
    const auto all = std::ranges::find(written, "*", &Located<std::string>::value);
    if (all != written.end() && written.size() > 1)
        section.warning("allow_origins", all->where,
                        "\"*\" allows every origin, so the others are of no use");
}

}  // namespace

Http read_http(Section section) {
    Http http;
    http.where = section.where();
    read_paths(section, http);
    section.boolean("host_meta", http.host_meta);
    read_origins(section, http);
    section.finish();
    return http;
}

}  // namespace stanzagate::config
