#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "filters/unfinished_token.hpp"
#include "filters/websocket_reader.hpp"
#include "filters/websocket_writer.hpp"
#include "tests/filters/canonical.hpp"
#include "tests/filters/splits.hpp"
#include "tests/fuzz/require.hpp"

// Anything as WebSocket messages, and anything as a server's stream. What passes upstream is,
// message by message, one whole element that says there what it says alone; what is refused leaves
// nothing. What the client gets stands alone and says what the server said, in every cut.
//   byte 0: the limits; byte 1: how the stream is cut; the rest: messages, a byte 0xFF between them
// The same bytes without 0xFF are the server's stream.
namespace {

using stanzagate::require;
using namespace stanzagate::filters;

constexpr FrameLimits small{.frame_bytes = 400, .depth = 4, .attributes = 6};
constexpr FrameLimits wide{.frame_bytes = 1U << 20U, .depth = 100, .attributes = 100};

std::size_t count_elements(std::string_view stream) {
    auto const elements = canonical_elements(stream);
    require(elements.empty() || elements.back() != "broken", "well-formed", std::string(stream));
    return elements.size();
}

// A client's messages. They may open streams again where the server allows it.
void client_says(std::string_view script, const FrameLimits& limits) {
    WebsocketReader reader(limits);
    std::string stream;  // the current one, as the upstream gets it
    bool restarting = false;
    while (!script.empty()) {
        auto const end = std::min(script.find('\xFF'), script.size());
        auto const message = script.substr(0, end);
        script.remove_prefix(std::min(end + 1, script.size()));
        if (message == "r" && !reader.error() && !reader.closed()) {
            reader.restart();
            restarting = true;
            continue;
        }
        bool const was_closed = reader.closed();
        auto const bytes = reader.read(message);
        require(bytes.has_value() != reader.error().has_value(), "an answer or an error", stream);
        require(!was_closed || !bytes, "closed is closed", stream);
        if (!bytes || bytes->empty()) continue;
        require(bytes->size() <= limits.frame_bytes, "limited", *bytes);
        bool const opens = bytes->starts_with("<?xml");
        require(opens == (stream.empty() || restarting), "one header", stream + *bytes);
        if (opens) {
            restarting = false;
            stream = *bytes;
            require(count_elements(stream) == 0, "a header only", stream);
            continue;
        }
        auto const before = count_elements(stream);
        stream += *bytes;
        if (reader.closed()) {
            require(*bytes == "</stream:stream>", "the closing tag only", *bytes);
            continue;
        }
        require(count_elements(stream) == before + 1, "one element", stream);
        require(count_elements(stream + "<x/>") == before + 2, "a whole element", stream);
        require(message.find(*bytes) != std::string_view::npos, "as it was", *bytes);
    }
}

struct Said {
    std::vector<std::string> messages;
    bool failed = false;
};

Said server_says(const std::vector<std::string_view>& pieces) {
    Said said;
    WebsocketWriter writer(wide);
    for (auto const piece : pieces)
        for (auto const& message : writer.write(piece)) {
            require(!canonical(message.text).empty(), "stands alone", message.text);
            said.messages.push_back(message.text);
        }
    said.failed = writer.failed();
    return said;
}

// What is wrong in a token that the parser has looked at often is found when the token ends.
bool may_be_late(std::string_view stream, const Said& whole, const Said& cut) {
    auto const looks = std::count(stream.begin(), stream.end(), '>');
    return whole.failed && !cut.failed && looks > UnfinishedToken::most_looks;
}

// What the first stream of the server says, without what the writer adds and cuts. White
// space before it is passed over, as what is left of the stream before.
void check_meaning(std::string stream, const Said& said) {
    stream.erase(0, stream.find_first_not_of(" \t\r\n"));
    if (said.failed || stream.find(":lang") != std::string::npos) return;
    for (auto const* const cut : {"xmpp-tls", "compress", "xmpp-sasl", "&"})
        if (stream.find(cut) != std::string::npos) return;
    if (said.messages.empty()) return;
    auto const elements = canonical_elements(stream);
    for (std::size_t i = 1; i < said.messages.size(); ++i) {
        if (said.messages[i] == "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>") return;
        require(i <= elements.size() && canonical(said.messages[i]) == elements[i - 1],
                "says the same", said.messages[i]);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    std::string const script(data + 2, data + size);
    client_says(script, data[0] % 2 == 0 ? wide : small);

    std::string stream = script;
    stream.erase(std::remove(stream.begin(), stream.end(), '\xFF'), stream.end());
    std::mt19937 random(data[1]);
    auto const whole = server_says({stream});
    auto const cut = server_says(random_pieces(stream, random));
    require(whole.messages == cut.messages, "cutting changes nothing", stream);
    require(whole.failed == cut.failed || may_be_late(stream, whole, cut),
            "cutting changes no error", stream);
    check_meaning(stream, whole);
    return 0;
}
