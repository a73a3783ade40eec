#include "proxy/http_response.hpp"

namespace stanzagate::proxy {
namespace {

std::string_view reason(unsigned status) {
    switch (status) {
        case 101:
            return "Switching Protocols";
        case 200:
            return "OK";
        case 204:
            return "No Content";
        case 400:
            return "Bad Request";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 413:
            return "Content Too Large";
        case 421:
            return "Misdirected Request";
        case 426:
            return "Upgrade Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 503:
            return "Service Unavailable";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Error";
    }
}

// RFC 9110 section 6.4.1.
bool may_have_body(unsigned status) {
    return status >= 200 && status != 204 && status != 304;
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string write_http_head(const HttpResponse& response, bool keep_alive) {
    std::string out = "HTTP/1.1 ";
    out.append(std::to_string(response.status)).append(" ").append(reason(response.status));
    out.append("\r\n");
    for (auto const& [name, value] : response.headers) append_header(out, name, value);
    if (may_have_body(response.status))
        append_header(out, "Content-Length", std::to_string(response.body.text().size()));
    if (!keep_alive) append_header(out, "Connection", "close");
    out.append("\r\n");
    return out;
}

std::string_view body_to_send(const HttpResponse& response) {
    return response.head_only ? std::string_view{} : response.body.text();
}

std::string write_http_response(const HttpResponse& response, bool keep_alive) {
    return write_http_head(response, keep_alive).append(body_to_send(response));
}

HttpResponse plain_response(unsigned status) {
    return {status,
            {{"Content-Type", "text/plain; charset=utf-8"}},
            std::string(reason(status)) + '\n'};
}

}  // namespace stanzagate::proxy
