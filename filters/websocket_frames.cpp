#include "filters/websocket_frames.hpp"

#include <algorithm>

namespace stanzagate::filters {
namespace {

// RFC 6455 section 5.2.
constexpr std::uint8_t continuation_frame = 0;
constexpr std::uint8_t text_frame = 1;
constexpr std::uint8_t binary_frame = 2;
constexpr std::uint8_t close_frame = 8;
constexpr std::uint8_t ping_frame = 9;
constexpr std::uint8_t pong_frame = 10;

constexpr std::uint8_t final_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t opcode_bits = 0x0f;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::uint8_t length_bits = 0x7f;
constexpr std::size_t mask_size = 4;
constexpr std::size_t most_control_bytes = 125;

bool is_control(std::uint8_t opcode) {
    return opcode >= close_frame;
}

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t number = 0;
    for (auto const byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
    return number;
}

// Section 7.4: those that may stand in a frame.
bool may_be_sent(std::uint64_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

std::string frame(std::uint8_t opcode, std::string_view payload) {
    std::string out;
    out.reserve(payload.size() + 10);
    out += static_cast<char>(final_bit | opcode);
    auto const append_length = [&](unsigned bytes) {
        for (unsigned byte = bytes; byte-- > 0;)
            out += static_cast<char>(payload.size() >> (8 * byte) & 0xffU);
    };
    if (payload.size() < 126) {
        append_length(1);
    } else if (payload.size() <= 0xffff) {
        out += static_cast<char>(126);
        append_length(2);
    } else {
        out += static_cast<char>(127);
        append_length(8);
    }
    return out += payload;
}

}  // namespace

void WebsocketDecoder::feed(std::string_view bytes) {
    if (error_ || bytes.empty()) return;
    release();
    buffer_ += bytes;
    waits_ = false;
}

// What is empty takes no memory.
void WebsocketDecoder::release() {
    if (delivered_) {
        std::string().swap(message_);
        delivered_ = false;
    }
    if (at_ == buffer_.size())
        std::string().swap(buffer_);
    else
        buffer_.erase(0, at_);
    at_ = 0;
}

std::optional<WebsocketInput> WebsocketDecoder::next() {
    while (!error_) {
        auto const head = read_head();
        if (error_) break;
        if (!head || buffer_.size() - at_ - head->size < head->bytes) {
            waits_ = true;
            release();
            break;
        }
        if (auto input = take(*head)) return input;
    }
    return std::nullopt;
}

// Section 5.2. Nothing where it is not whole yet; judged as far as it goes.
std::optional<WebsocketDecoder::Head> WebsocketDecoder::read_head() {
    auto const bytes = std::string_view(buffer_).substr(at_);
    if (bytes.size() < 2) return std::nullopt;
    auto const first = static_cast<std::uint8_t>(bytes[0]);
    auto const second = static_cast<std::uint8_t>(bytes[1]);
    Head head{(first & final_bit) != 0, static_cast<std::uint8_t>(first & opcode_bits), 2, 0};
    if ((first & reserved_bits) != 0) return fail(WebsocketClose::protocol_error);
    if ((second & mask_bit) == 0) return fail(WebsocketClose::protocol_error);  // section 5.1

    std::uint64_t length = second & length_bits;
    if (length >= 126) {
        std::size_t const more = length == 126 ? 2 : 8;
        if (bytes.size() < head.size + more) return std::nullopt;
        length = big_endian(bytes.substr(head.size, more));
        head.size += more;
        // "the minimal number of bytes MUST be used"; and the highest bit must be 0.
        bool const minimal = more == 2 ? length >= 126 : length > 0xffff;
        if (!minimal || length >> 63U != 0) return fail(WebsocketClose::protocol_error);
    }
    head.size += mask_size;
    if (length > most_bytes_ + most_control_bytes) return fail(WebsocketClose::too_big);
    head.bytes = static_cast<std::size_t>(length);
    if (!may_come(head)) return std::nullopt;
    if (bytes.size() < head.size) return std::nullopt;
    return head;
}

bool WebsocketDecoder::may_come(const Head& head) {
    bool const known =
        head.opcode <= binary_frame || (head.opcode >= close_frame && head.opcode <= pong_frame);
    bool const whole = head.final && head.bytes <= most_control_bytes;  // section 5.5
    if (!known || (is_control(head.opcode) && !whole)) {
        fail(WebsocketClose::protocol_error);
    } else if (!is_control(head.opcode)) {
        // Section 5.4.
        if ((head.opcode == continuation_frame) != fragmented_)
            fail(WebsocketClose::protocol_error);
        else if (head.opcode == binary_frame)
            fail(WebsocketClose::unsupported_data);
        else if ((fragmented_ ? message_.size() : 0) + head.bytes > most_bytes_)
            fail(WebsocketClose::too_big);
    }
    return !error_;
}

// Section 5.3, where it lies.
std::string_view WebsocketDecoder::unmask(const Head& head) {
    auto* const payload = buffer_.data() + at_ + head.size;
    auto const* const mask = payload - mask_size;
    for (std::size_t i = 0; i < head.bytes; ++i)
        payload[i] = static_cast<char>(payload[i] ^ mask[i % mask_size]);
    return {payload, head.bytes};
}

std::optional<WebsocketInput> WebsocketDecoder::take(const Head& head) {
    if (is_control(head.opcode)) return control(head);
    auto payload = unmask(head);
    at_ += head.size + head.bytes;
    if (head.final && !fragmented_) return WebsocketInput{WebsocketInput::Kind::text, payload, {}};

    if (!fragmented_) message_.clear();  // what was given out before
    message_ += payload;
    fragmented_ = !head.final;
    delivered_ = head.final;
    if (fragmented_) return std::nullopt;
    return WebsocketInput{WebsocketInput::Kind::text, message_, {}};
}

WebsocketInput WebsocketDecoder::control(const Head& head) {
    auto payload = unmask(head);
    at_ += head.size + head.bytes;
    if (head.opcode == ping_frame) return {WebsocketInput::Kind::ping, payload, {}};
    if (head.opcode == pong_frame) return {WebsocketInput::Kind::pong, payload, {}};
    WebsocketInput input{WebsocketInput::Kind::close, {}, {}};
    if (payload.size() >= 2) {
        auto const code = big_endian(payload.substr(0, 2));
        input.code = static_cast<std::uint16_t>(may_be_sent(code) ? code : 1002);
        input.payload = payload.substr(2);
    } else if (payload.size() == 1) {
        input.code = std::uint16_t{1002};
    }
    return input;
}

std::nullopt_t WebsocketDecoder::fail(WebsocketClose why) {
    error_ = why;
    std::string().swap(buffer_);
    std::string().swap(message_);
    at_ = 0;
    return std::nullopt;
}

std::string websocket_text(std::string_view payload) {
    return frame(text_frame, payload);
}

std::string websocket_pong(std::string_view payload) {
    return frame(pong_frame, payload);
}

std::string websocket_close(WebsocketClose code) {
    auto const number = static_cast<unsigned>(code);
    std::string const payload{static_cast<char>(number >> 8U), static_cast<char>(number & 0xffU)};
    return frame(close_frame, payload);
}

}  // namespace stanzagate::filters
