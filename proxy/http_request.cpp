#include "proxy/http_request.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/verb.hpp>
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

// RFC 9112 sections 6.1 and 6.3: where it is told twice, or in a way that the parser overlooks, the
// server in front of us may see another end of the request, and what is behind it as another one.
bool tells_its_length_once(const HttpRequest& request) {
    auto const lengths = request.all("Content-Length");
    auto const encodings = request.all("Transfer-Encoding");
    if (encodings.empty())
        return lengths.empty() ||
               (lengths.size() == 1 &&
                lengths.front().find_first_not_of("0123456789") == std::string_view::npos);
    return lengths.empty() && encodings.size() == 1 && same(encodings.front(), "chunked") &&
           !request.http_1_0;
}

// RFC 9112 section 5.2: a line that goes on with the one before, which is a field of its own to
// some.
bool is_folded(std::string_view fields) {
    return fields.find("\n ") != std::string_view::npos ||
           fields.find("\n\t") != std::string_view::npos;
}

// Whether it begins with the whole line before a chunk that is not the last.
bool is_chunk_line(std::string_view text) {
    if (text.starts_with("\r\n")) text.remove_prefix(2);
    auto const size = text.substr(0, text.find_first_not_of("0123456789abcdefABCDEF"));
    return size.find_first_not_of('0') != std::string_view::npos &&
           text.find("\r\n") != std::string_view::npos;
}

}  // namespace

// To some, a line ends at a line feed alone, though it stands in the quotes of a chunk's extension:
// RFC 9112 section 7.1.1 has no control characters there.
struct HttpRequestReader::Parser : http::request_parser<http::string_body> {
    Parser() { on_chunk_header(refuse_control_characters_); }

private:
    struct RefuseControlCharacters {
        void operator()(std::uint64_t /*size*/, boost::beast::string_view extensions,
                        boost::system::error_code& error) const {
            bool const found = std::any_of(extensions.begin(), extensions.end(), [](char c) {
                return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7F';
            });
            if (found) error = http::error::bad_chunk_extension;
        }
    };
    RefuseControlCharacters refuse_control_characters_;
};

HttpRequestReader::HttpRequestReader(std::size_t most_body_bytes)
    : parser_(std::make_unique<Parser>()) {
    parser_->header_limit(most_header_bytes);
    parser_->body_limit(most_body_bytes);
    parser_->eager(true);
}

HttpRequestReader::~HttpRequestReader() = default;

std::size_t HttpRequestReader::feed(std::string_view bytes) {
    if (done() || error_) return 0;
    auto const before = held_.size();
    held_ += bytes;
    auto const header = header_done_ ? 0 : feed_header(before);
    auto const used = header_done_ && !error_ ? header + feed_body(header) : 0;
    if (error_) return bytes.size();
    held_.erase(0, used);
    if (!done()) return bytes.size();
    held_.clear();
    return used - before;
}

// The parser is given the request line, and then all fields at once: it bounds what it cannot take
// yet, and would take any number of fields that come one by one. The size of the header, once that
// is whole. `old`: how much was looked at before.
std::size_t HttpRequestReader::feed_header(std::size_t old) {
    auto const text = std::string_view(held_).substr(0, most_header_bytes);
    if (line_size_ == 0) {
        auto const end = text.find('\n', old);
        if (end != std::string_view::npos) {
            line_size_ = end + 1;
            if (put(text.substr(0, line_size_)) != line_size_ && !error_) error_ = 400;
        }
    }
    auto const end = line_size_ == 0 ? std::string_view::npos
                                     : text.find("\r\n\r\n", old - std::min(old, std::size_t{3}));
    if (!error_ && end != std::string_view::npos) {
        if (is_folded(text.substr(0, end))) error_ = 400;
        if (!error_) put(text.substr(line_size_, end + 4 - line_size_));
        if (!error_ && !parser_->is_header_done()) error_ = 400;
        if (!error_) read_header();
        return end + 4;
    }
    if (!error_ && held_.size() >= most_header_bytes) error_ = 431;
    return 0;
}

// What is no body is bounded as the header is: the sizes of chunks, whatever stands behind them,
// and trailers. A byte of the body may come as a chunk of its own, which takes five more.
std::size_t HttpRequestReader::feed_body(std::size_t begin) {
    // The parser asserts that it sees the last chunk ("0\r\n\r\n") again only when it is whole. No
    // chunked body has less than that to come before its end, so none waits in vain.
    std::size_t const least = parser_->chunked() ? 5 : 1;
    auto used = begin;
    while (used < held_.size() && !done() && !error_) {
        auto const body_before = body().size();
        auto const room =
            std::min(most_header_bytes, most_header_bytes + 5 * body_before - beside_body_);
        auto const portion = std::string_view(held_).substr(used, room);
        auto const taken = portion.size() < least ? 0 : put(portion);
        used += taken;
        beside_body_ += taken - (body().size() - body_before);
        if (taken > 0) continue;
        if (portion.size() == room && !error_) error_ = 431;
        // The parser waits for the end of quotes that were opened there.
        if (portion.size() >= least && is_chunk_line(portion) && !error_) error_ = 400;
        break;
    }
    return used - begin;
}

// How much of it the parser has understood; the rest is to be given again, with more.
std::size_t HttpRequestReader::put(std::string_view bytes) {
    boost::system::error_code error;
    auto const taken = parser_->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    if (error && error != http::error::need_more) error_ = status_of(error);
    return taken;
}

bool HttpRequestReader::done() const {
    return parser_->is_done();
}

std::string_view HttpRequestReader::body() const {
    return parser_->get().body();
}

bool HttpRequestReader::is_head() const {
    return parser_->get().method() == http::verb::head;
}

bool HttpRequestReader::expects_continue() {
    if (told_to_continue_ || done() || error_) return false;
    auto const* const expects = request_.header("Expect");
    if (!expects || !same(*expects, "100-continue")) return false;
    return told_to_continue_ = true;
}

// Before the parser is given the trailers, which it puts among the fields of the header. Who sits
// in front of us adds to a header and takes away from it, but not what looks the same in a trailer
// (RFC 9110 section 6.5.1).
void HttpRequestReader::read_header() {
    header_done_ = true;
    auto const& message = parser_->get();
    request_.method = std::string(message.method_string());
    request_.http_1_0 = message.version() < 11;
    for (auto const& field : message)
        request_.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    // RFC 9112 section 9.3, of all such fields.
    request_.keep_alive = !request_.lists("Connection", "close") &&
                          (!request_.http_1_0 || request_.lists("Connection", "keep-alive"));
    auto const target = message.target();
    if (auto path = path_of({target.data(), target.size()}))
        request_.path = std::move(*path);
    else
        error_ = 400;
    // RFC 9112 section 3.2: one host, whatever the target says.
    auto const hosts = request_.all("Host").size();
    if (hosts > 1 || (hosts == 0 && !request_.http_1_0)) error_ = 400;
    if (!tells_its_length_once(request_)) error_ = 400;
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
