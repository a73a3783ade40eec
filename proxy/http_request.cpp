#include "proxy/http_request.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>

namespace stanzagate::proxy {
namespace {

namespace http = boost::beast::http;

bool same(std::string_view left, std::string_view right) {
    return boost::beast::iequals({left.data(), left.size()}, {right.data(), right.size()});
}

unsigned status_of(const boost::system::error_code& error) {
    if (error == http::error::body_limit) return 413;
    if (error == http::error::header_limit) return 431;
    if (error == http::error::bad_version) return 505;
    return 400;
}

// RFC 9112 section 3.2: "/path?query", or the same behind a scheme and an authority.
std::optional<std::string> path_of(std::string_view target) {
    if (auto const scheme = target.find("://"); !target.starts_with('/')) {
        if (scheme == std::string_view::npos) return std::nullopt;
        auto const slash = target.find('/', scheme + 3);
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    return std::string(target.substr(0, target.find_first_of("?#")));
}

}  // namespace

struct HttpRequestReader::Parser : http::request_parser<http::string_body> {};

HttpRequestReader::HttpRequestReader(std::size_t most_body_bytes)
    : parser_(std::make_unique<Parser>()) {
    parser_->header_limit(most_header_bytes);
    parser_->body_limit(most_body_bytes);
    parser_->eager(false);  // it stops where the header ends
}

HttpRequestReader::~HttpRequestReader() = default;

// The parser leaves what it cannot use yet, half a header field say, to be given again with more.
std::size_t HttpRequestReader::feed(std::string_view bytes) {
    if (done() || error_) return 0;
    auto const before = head_.size();
    head_ += bytes;
    std::size_t used = 0;
    while (used < head_.size() && !parser_->is_done()) {
        boost::system::error_code error;
        auto const taken =
            parser_->put(boost::asio::buffer(head_.data() + used, head_.size() - used), error);
        used += taken;
        if (error && error != http::error::need_more) error_ = status_of(error);
        if (parser_->is_header_done() && !header_done_ && !error_) read_header();
        if (error_) return bytes.size();
        if (taken == 0 || error == http::error::need_more) break;
    }
    head_.erase(0, used);
    if (!parser_->is_done()) return bytes.size();
    head_.clear();
    return used - before;
}

bool HttpRequestReader::done() const {
    return parser_->is_done();
}

std::string_view HttpRequestReader::body() const {
    return parser_->get().body();
}

bool HttpRequestReader::expects_continue() {
    if (told_to_continue_ || done() || error_) return false;
    auto const* const expects = request_.header("Expect");
    if (!expects || !same(*expects, "100-continue")) return false;
    return told_to_continue_ = true;
}

// Before the parser comes to the trailers, which it puts among the fields of the header. Who sits
// in front of us adds to a header and takes away from it, but not what looks the same in a trailer
// (RFC 9110 section 6.5.1).
void HttpRequestReader::read_header() {
    header_done_ = true;
    parser_->eager(true);
    auto const& message = parser_->get();
    request_.method = std::string(message.method_string());
    request_.keep_alive = message.keep_alive();
    request_.http_1_0 = message.version() < 11;
    for (auto const& field : message)
        request_.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    auto const target = message.target();
    if (auto path = path_of({target.data(), target.size()}))
        request_.path = std::move(*path);
    else
        error_ = 400;
    // RFC 9112 section 3.2: one host, whatever the target says.
    auto const hosts = request_.all("Host").size();
    if (hosts > 1 || (hosts == 0 && !request_.http_1_0)) error_ = 400;
}

HttpRequest HttpRequestReader::take() {
    request_.body = std::move(parser_->get().body());
    return std::move(request_);
}

const std::string* HttpRequest::header(std::string_view name) const {
    auto const found = std::find_if(headers.begin(), headers.end(),
                                    [&](auto const& header) { return same(header.first, name); });
    return found == headers.end() ? nullptr : &found->second;
}

std::vector<std::string_view> HttpRequest::all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (auto const& [key, value] : headers)
        if (same(key, name)) values.emplace_back(value);
    return values;
}

bool HttpRequest::lists(std::string_view name, std::string_view token) const {
    for (auto const value : all(name))
        for (auto const& listed : http::token_list({value.data(), value.size()}))
            if (same({listed.data(), listed.size()}, token)) return true;
    return false;
}

}  // namespace stanzagate::proxy
