#include "filters/websocket_writer.hpp"

#include <utility>

#include "filters/xml_escape.hpp"

namespace stanzagate::filters {
namespace {

std::string open_message(const Attributes& header) {
    std::string text = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'";
    auto const add = [&](std::string_view name, const std::optional<std::string>& value) {
        if (value) append_attribute(text, name, *value);
    };
    add("from", header.from);
    add("to", header.to);
    add("id", header.id);
    add("version", header.version);
    add("xml:lang", header.lang);
    return text + "/>";
}

constexpr std::string_view close_message = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

}  // namespace

std::vector<WebsocketMessage> WebsocketWriter::write(std::string_view bytes) {
    return messages(cutter_.cut(bytes));
}

std::vector<WebsocketMessage> WebsocketWriter::messages(std::vector<StreamPiece> pieces) {
    std::vector<WebsocketMessage> written;
    for (auto& piece : pieces) {
        auto text = std::move(piece.xml);
        if (piece.kind == StreamPiece::Kind::header) {
            text = open_message(piece.attributes);
            opened_ = true;
        } else if (piece.kind == StreamPiece::Kind::close) {
            text = close_message;
            closed_ = true;
        } else if (piece.kind == StreamPiece::Kind::success) {
            opened_ = false;
        } else if (piece.kind == StreamPiece::Kind::error) {
            erred_ = true;
        }
        written.push_back({std::move(text), piece.kind});
    }
    return written;
}

std::vector<WebsocketMessage> WebsocketWriter::fail(StreamErrorCondition condition,
                                                    std::string_view detail,
                                                    const ResponseHeader& header) {
    if (closed_ || erred_) return {};
    StreamCutter cutter;
    auto pieces = cutter.cut(stream_header(header) + stream_error(condition, detail));
    if (opened_) pieces.erase(pieces.begin());
    return messages(std::move(pieces));
}

}  // namespace stanzagate::filters
