// Any bytes as what an HTTP client sends to the shared port: requests, one behind the other, and
// what the door says to each. What is taken for a request is one, with the same end and the same
// body, to whoever reads strictly, and in every cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/config.hpp"
#include "proxy/http_door.hpp"
#include "proxy/http_request.hpp"
#include "proxy/http_response.hpp"
#include "tests/fuzz/plain_http.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using namespace stanzagate;
using namespace stanzagate::proxy;

constexpr std::size_t most_body_bytes = 1000;

struct Reading {
    std::vector<HttpRequest> requests;
    std::vector<std::size_t> ends;  // of each
    bool refused = false;           // what is behind them, of which else more is missing
};

Reading read(std::string_view bytes, std::size_t piece) {
    Reading reading;
    auto reader = std::make_unique<HttpRequestReader>(most_body_bytes);
    std::size_t at = 0;
    for (std::size_t begin = 0; begin < bytes.size(); begin += piece) {
        auto rest = bytes.substr(begin, piece);
        while (!rest.empty()) {
            auto const used = reader->feed(rest);
            require(used <= rest.size());
            require(reader->body().size() <= most_body_bytes);
            bool const done = !reader->error() && reader->done();
            auto request = done ? reader->take() : HttpRequest();
            if (reader->error()) {
                reading.refused = true;
                return reading;
            }
            require(done || used == rest.size());  // or it would never go on
            rest.remove_prefix(used);
            at += used;
            if (!done) continue;
            reading.ends.push_back(at);
            reading.requests.push_back(std::move(request));
            reader = std::make_unique<HttpRequestReader>(most_body_bytes);
        }
    }
    return reading;
}

bool same(const HttpRequest& one, const HttpRequest& other) {
    return one.method == other.method && one.path == other.path && one.headers == other.headers &&
           one.body == other.body && one.keep_alive == other.keep_alive &&
           one.http_1_0 == other.http_1_0;
}

void look_at_ends(const Reading& reading, std::string_view bytes) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < reading.requests.size(); ++i) {
        auto const plain = read_plain_request(bytes.substr(begin));
        require(plain.has_value(), "is a request", bytes.substr(begin));
        require(begin + plain->size == reading.ends[i], "has one end", bytes.substr(begin));
        require(plain->body == reading.requests[i].body, "has one body", bytes.substr(begin));
        begin = reading.ends[i];
    }
}

// What a client wrote may come back in a header, and must not begin another one there.
void look_at(const HttpResponse& response) {
    auto const written = write_http_response(response, true);
    auto const head = std::string_view(written).substr(0, written.find("\r\n\r\n") + 2);
    require(head.starts_with("HTTP/1.1 "));
    std::size_t lines = 0;
    for (std::size_t at = 0; at < head.size(); ++at) {
        auto const c = static_cast<unsigned char>(head[at]);
        if (head.substr(at, 2) == "\r\n") {
            ++lines;
            ++at;
        } else {
            require(c >= 0x20 || c == '\t');
        }
    }
    bool const has_length = head.find("\r\nContent-Length: ") != std::string_view::npos;
    require(lines == 1 + response.headers.size() + (has_length ? 1 : 0));
}

config::Config configuration(std::vector<std::string> origins) {
    config::Config config;
    config::Host host;
    host.name = {config::HostPattern::Kind::exact, "example.org"};
    config.hosts.push_back(host);
    config.index_hosts();
    config.http.allow_origins = std::move(origins);
    return config;
}

// What is wrong with a chunk is found some bytes later, and how many depends on the pieces. Where
// two things are wrong, so does which of them is told.
bool is_late(const std::string& bytes, std::size_t piece) {
    return read(bytes, piece).refused == read(bytes, bytes.size()).refused;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static auto const for_all = configuration({"*"});
    static auto const for_one = configuration({"https://example.org"});
    config::Listen door;
    door.served = {.xmpp = true, .websocket = true, .bosh = true};

    std::string const bytes(reinterpret_cast<const char*>(data), size);
    auto const whole = read(bytes, bytes.size());
    for (std::size_t const piece : {std::size_t{1}, std::size_t{7}}) {
        auto const split = read(bytes, piece);
        require(split.refused == whole.refused || is_late(bytes + "xxxxxxxx", piece));
        require(split.ends == whole.ends);
        require(std::equal(split.requests.begin(), split.requests.end(), whole.requests.begin(),
                           whole.requests.end(), same));
    }
    look_at_ends(whole, bytes);
    for (auto const& request : whole.requests) {
        for (auto const* const config : {&for_all, &for_one}) {
            auto const answer = route(request, *config, door);
            if (auto const* const response = std::get_if<HttpResponse>(&answer)) look_at(*response);
            if (auto const* const upgrade = std::get_if<WebsocketUpgrade>(&answer)) {
                look_at(upgrade->response);
                require(request.method == "GET" && request.lists("Sec-WebSocket-Protocol", "xmpp"));
            }
            if (auto const* const post = std::get_if<BoshPost>(&answer)) {
                look_at({200, post->headers});
                auto const* const origin = request.header("Origin");
                require(config == &for_all || !origin || *origin == "https://example.org");
            }
        }
    }
    return 0;
}
