#include "bench/load/http.hpp"

#include <algorithm>
#include <stdexcept>

namespace stanzagate::load {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view head_end = "\r\n\r\n";

bool begins_with(std::string_view text, std::string_view lower_case) {
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return text.size() >= lower_case.size() &&
           std::equal(lower_case.begin(), lower_case.end(), text.begin(),
                      [&](char wanted, char c) { return lower(c) == wanted; });
}

std::string content(std::string_view body) {
    return "Content-Type: text/xml; charset=utf-8\r\nContent-Length: " +
           std::to_string(body.size()) + std::string(head_end) + std::string(body);
}

}  // namespace

std::optional<HttpReader::Message> HttpReader::next() {
    auto const end = buffer_.find(head_end);
    if (end == std::string::npos) return std::nullopt;
    auto const head = std::string_view(buffer_).substr(0, end + head_end.size());
    if (!http_header(head, "transfer-encoding").empty())
        throw std::runtime_error("a message in chunks, which nobody here sends");
    auto const length = http_header(head, "content-length");
    auto const bytes = length.empty() ? 0 : std::stoul(std::string(length));
    if (buffer_.size() - head.size() < bytes) return std::nullopt;
    Message message{std::string(head), buffer_.substr(head.size(), bytes)};
    buffer_.erase(0, message.head.size() + bytes);
    if (buffer_.empty()) buffer_ = {};
    return message;
}

std::string_view http_header(std::string_view head, std::string_view name) {
    for (auto at = head.find(line_end); at != std::string_view::npos;
         at = head.find(line_end, at)) {
        at += line_end.size();
        auto const line = head.substr(at, head.find(line_end, at) - at);
        if (!begins_with(line, name) || line.substr(name.size(), 1) != ":") continue;
        auto const value = line.find_first_not_of(' ', name.size() + 1);
        return value == std::string_view::npos ? std::string_view{} : line.substr(value);
    }
    return {};
}

std::string http_post(std::string_view host, std::string_view path, std::string_view body) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) +
           "\r\nUser-Agent: stanzagate_load\r\nAccept: */*\r\n" + content(body);
}

std::string http_ok(std::string_view body) {
    return "HTTP/1.1 200 OK\r\n" + content(body);
}

}  // namespace stanzagate::load
