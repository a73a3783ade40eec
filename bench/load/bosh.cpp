#include "bench/load/bosh.hpp"

namespace stanzagate::load {

std::string bosh_body(std::string_view attributes, std::string_view payload) {
    std::string body = "<body xmlns='http://jabber.org/protocol/httpbind'";
    body += attributes;
    if (payload.empty()) return body + "/>";
    body += '>';
    body += payload;
    return body + "</body>";
}

std::string_view bosh_payload(std::string_view body) {
    constexpr std::string_view end = "</body>";
    auto const begin = body.find('>');
    if (begin == std::string_view::npos || !body.ends_with(end)) return {};
    return body.substr(begin + 1, body.size() - end.size() - begin - 1);
}

std::string_view bosh_attribute(std::string_view body, std::string_view name) {
    auto const tag = body.substr(0, body.find('>'));
    auto const wanted = ' ' + std::string(name) + '=';
    auto const found = tag.find(wanted);
    if (found == std::string_view::npos) return {};
    auto const quote = found + wanted.size();
    return tag.substr(quote + 1, tag.find(tag[quote], quote + 1) - quote - 1);
}

}  // namespace stanzagate::load
