#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stanzagate::proxy {

// One HTTP request (RFC 9112), read whole.
struct HttpRequest {
    std::string method;
    std::string path;                                          // of the target, without its query
    std::vector<std::pair<std::string, std::string>> headers;  // as they came, without trailers
    std::string body;
    bool keep_alive = true;  // what the client wants of the connection after it
    bool http_1_0 = false;

    // The first header of that name (without regard to case), or nullptr.
    const std::string* header(std::string_view name) const;
    // All of them.
    std::vector<std::string_view> all(std::string_view name) const;
    // Whether a header that is a list of tokens has this one (RFC 9110 section 5.6.1).
    bool lists(std::string_view name, std::string_view token) const;
};

// Reads one request, by Beast's parser. Whatever comes, it holds little more than the header and
// the body may have, and in whatever pieces it comes, it is read as one.
//   feed() until done() or error(); then take()
class HttpRequestReader {
public:
    // Of the request line and all headers together, and once more of all that is not the body
    // behind them.
    static constexpr std::size_t most_header_bytes = std::size_t{16} * 1024;

    explicit HttpRequestReader(std::size_t most_body_bytes);
    ~HttpRequestReader();
    HttpRequestReader(const HttpRequestReader&) = delete;
    HttpRequestReader& operator=(const HttpRequestReader&) = delete;

    // How many of the bytes belong to this request; all of them, while it is not done().
    std::size_t feed(std::string_view bytes);

    bool done() const;
    // The status to refuse it with, once it cannot be read.
    std::optional<unsigned> error() const { return error_; }
    // Its body so far.
    std::string_view body() const;
    // The response is to have no body (RFC 9110 section 9.3.2), whatever it is.
    bool is_head() const;
    // The client waits for word before it sends the body (RFC 9110 section 10.1.1). Told once.
    bool expects_continue();
    HttpRequest take();

private:
    std::size_t feed_header(std::size_t old);
    std::size_t feed_body(std::size_t begin);
    std::size_t put(std::string_view bytes);
    void read_header();

    struct Parser;
    std::unique_ptr<Parser> parser_;
    HttpRequest request_;  // what its header says, once that is whole
    bool header_done_ = false;
    std::string held_;             // not understood yet
    std::size_t line_size_ = 0;    // of the request line, once the parser has it
    std::size_t beside_body_ = 0;  // how much has come behind the header that is not the body
    std::optional<unsigned> error_;
    bool told_to_continue_ = false;
};

}  // namespace stanzagate::proxy
