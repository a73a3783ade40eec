#include "tests/proxy/http_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace stanzagate::proxy::testing {
namespace {

HttpAnswer hear_answer(Client& client, bool head) {
    HttpAnswer answer;
    std::istringstream lines(client.hear_until("\r\n\r\n"));
    std::string line;
    if (!std::getline(lines, line)) return answer;
    EXPECT_EQ(line.substr(0, 9), "HTTP/1.1 ");
    answer.status = static_cast<unsigned>(std::stoul(line.substr(9)));
    while (std::getline(lines, line) && line != "\r") {
        auto const colon = line.find(": ");
        auto name = line.substr(0, colon);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        EXPECT_FALSE(answer.headers.contains(name)) << name;
        answer.headers[name] = line.substr(colon + 2, line.size() - colon - 3);
    }
    if (auto const length = answer.headers.find("content-length");
        length != answer.headers.end() && !head)
        answer.body = client.hear(std::stoul(length->second));
    return answer;
}

}  // namespace

void HttpClient::ask(const std::string& method, const std::string& path, const std::string& headers,
                     const std::string& body) {
    auto request = method + ' ' + path + " HTTP/1.1\r\nHost: example.org\r\n" + headers;
    if (!body.empty() || method == "POST")
        request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    client_.say(request + "\r\n" + body);
}

HttpAnswer HttpClient::hear(bool head) {
    return hear_answer(client_, head);
}

HttpAnswer WebsocketClient::open() {
    client_.say(
        "GET /xmpp-websocket HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n"
        "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n");
    return hear_answer(client_, false);
}

filters::testing::ServerFrame WebsocketClient::hear() {
    auto bytes = client_.hear(2);
    if (bytes.size() < 2) return {};
    auto const length = static_cast<unsigned char>(bytes[1]);
    if (length == 126) bytes += client_.hear(2);
    if (length == 127) bytes += client_.hear(8);
    std::size_t size = length;
    if (length >= 126) {
        size = 0;
        for (std::size_t i = 2; i < bytes.size(); ++i)
            size = size << 8U | static_cast<unsigned char>(bytes[i]);
    }
    bytes += client_.hear(size);
    auto const frames = filters::testing::server_frames(bytes);
    return frames.empty() ? filters::testing::ServerFrame{} : frames.front();
}

std::string WebsocketClient::hear_text() {
    auto const frame = hear();
    EXPECT_EQ(frame.opcode, 1U) << frame.payload;
    return frame.payload;
}

}  // namespace stanzagate::proxy::testing
