#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "filters/websocket_frames.hpp"
#include "filters/websocket_reader.hpp"
#include "filters/websocket_writer.hpp"
#include "proxy/carrier.hpp"
#include "proxy/channel.hpp"
#include "proxy/scratch.hpp"

namespace stanzagate::proxy {

// Carries an XMPP stream in the messages of a WebSocket (RFC 7395) on a channel of its own, from
// the byte after the handshake. What it is given as a stream it says as messages; what the client
// says as messages it gives as a stream, one message a read(). What is no XMPP it refuses on its
// own. Answers pings, of those in one read() the last; closes with `<close/>` and a Close frame,
// and waits for the client's; then TLS ends, too.
class WebsocketCarrier final : public Carrier {
public:
    // `header` is for a stream error before the server has said anything: its views must live as
    // long as this does. `first`: what came behind the client's handshake.
    WebsocketCarrier(Channel channel, Scratch& scratch, const filters::FrameLimits& limits,
                     std::string stream_id, std::string_view first);

    int fd() const { return channel_.wire().fd(); }

    void on_events(std::uint32_t events) override { channel_.on_events(events); }
    std::string_view read() override;
    void consumed() override;
    void write(std::string_view bytes) override;
    void close_write() override;
    void shut_down() override;
    void say_end() override;
    void authenticated() override;
    bool readable() const override;
    bool blocked() const override { return channel_.blocked(); }
    bool ended() const override { return closed_by_client_ || channel_.ended(); }
    std::optional<SessionEnd> hung_up() const override;
    std::optional<SessionEnd> over() const override;
    std::optional<filters::StreamErrorCondition> error() const override { return error_; }

private:
    std::string_view take_next();
    std::string_view take(const filters::WebsocketInput& input);
    std::string_view take_text(std::string_view message);
    void drop_what_comes();
    void say(const std::vector<filters::WebsocketMessage>& messages);
    void say_close(filters::WebsocketClose code);
    void fail(filters::StreamErrorCondition condition, std::string_view detail,
              filters::WebsocketClose code);

    Channel channel_;
    Scratch& scratch_;
    filters::WebsocketDecoder decoder_;
    filters::WebsocketReader reader_;
    filters::WebsocketWriter writer_;
    std::string stream_id_;
    std::string piece_;                // what the last read() has given
    std::optional<std::string> pong_;  // what is to be said in it at the end of a read()
    std::optional<filters::StreamErrorCondition> error_;
    bool said_close_ = false;        // a Close frame; nothing is said after it
    bool closed_by_client_ = false;  // by a Close frame
};

// What is read of one message, or one BOSH request, once the client is authenticated. More would be
// memory that a client can make us hold.
inline constexpr std::size_t most_message_bytes = std::size_t{1} << 20U;

}  // namespace stanzagate::proxy
