#include "tests/fuzz/plain_http.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace stanzagate::proxy {
namespace {

constexpr std::string_view crlf = "\r\n";
constexpr std::string_view digits = "0123456789";
constexpr std::string_view hex_digits = "0123456789abcdefABCDEF";

// The next line without its end, taken off the bytes.
std::optional<std::string_view> take_line(std::string_view& bytes) {
    auto const end = bytes.find(crlf);
    if (end == std::string_view::npos) return std::nullopt;
    auto const line = bytes.substr(0, end);
    bytes.remove_prefix(end + crlf.size());
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
        return std::nullopt;
    return line;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (auto& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// Nothing: it is no number, or one beyond all that is read here.
std::optional<std::size_t> number(std::string_view text, std::string_view alphabet, int base) {
    if (text.empty() || text.find_first_not_of(alphabet) != std::string_view::npos)
        return std::nullopt;
    text.remove_prefix(std::min(text.find_first_not_of('0'), text.size() - 1));
    if (text.size() > 8) return std::nullopt;
    return std::stoul(std::string(text), nullptr, base);
}

// What the fields say of the body.
struct Framing {
    std::optional<std::string> length;
    bool chunked = false;
};

std::optional<Framing> take_fields(std::string_view& bytes) {
    Framing framing;
    for (;;) {
        auto const line = take_line(bytes);
        if (!line) return std::nullopt;
        if (line->empty()) return framing;
        auto const colon = line->find(':');
        if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
        auto const name = lower(line->substr(0, colon));
        for (char const c : name)
            if (c <= ' ' || c == 0x7F) return std::nullopt;
        auto const value = trimmed(line->substr(colon + 1));
        bool const tells = name == "content-length" || name == "transfer-encoding";
        if (tells && (framing.length || framing.chunked)) return std::nullopt;
        if (name == "content-length") framing.length = value;
        if (name == "transfer-encoding") {
            if (lower(value) != "chunked") return std::nullopt;
            framing.chunked = true;
        }
    }
}

std::optional<std::string> take_chunks(std::string_view& bytes) {
    std::string body;
    for (;;) {
        auto const line = take_line(bytes);
        if (!line) return std::nullopt;
        auto const size_end = std::min(line->find_first_not_of(hex_digits), line->size());
        auto const size = number(line->substr(0, size_end), hex_digits, 16);
        if (!size) return std::nullopt;
        auto const behind = trimmed(line->substr(size_end));
        if (!behind.empty() && behind.front() != ';') return std::nullopt;
        if (*size == 0) break;
        if (bytes.size() < *size + crlf.size()) return std::nullopt;
        body += bytes.substr(0, *size);
        if (bytes.substr(*size, crlf.size()) != crlf) return std::nullopt;
        bytes.remove_prefix(*size + crlf.size());
    }
    for (;;) {
        auto const trailer = take_line(bytes);
        if (!trailer) return std::nullopt;
        if (trailer->empty()) return body;
    }
}

}  // namespace

std::optional<PlainRequest> read_plain_request(std::string_view bytes) {
    auto rest = bytes;
    if (!take_line(rest)) return std::nullopt;
    auto const framing = take_fields(rest);
    if (!framing) return std::nullopt;
    PlainRequest request;
    if (framing->chunked) {
        auto body = take_chunks(rest);
        if (!body) return std::nullopt;
        request.body = std::move(*body);
    } else if (framing->length) {
        auto const size = number(*framing->length, digits, 10);
        if (!size || rest.size() < *size) return std::nullopt;
        request.body = rest.substr(0, *size);
        rest.remove_prefix(*size);
    }
    request.size = bytes.size() - rest.size();
    return request;
}

}  // namespace stanzagate::proxy
