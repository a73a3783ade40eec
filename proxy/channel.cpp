#include "proxy/channel.hpp"

#include <utility>

namespace stanzagate::proxy {

Channel::Channel(Channel&& other) noexcept {
    *this = std::move(other);
}

Channel& Channel::operator=(Channel&& other) noexcept {
    if (this == &other) return *this;
    wire_ = std::move(other.wire_);
    tls_ = std::move(other.tls_);
    carrier_ = std::move(other.carrier_);
    if (tls_) tls_->use(wire_);
    return *this;
}

void Channel::close() {
    if (carrier_) carrier_->say_end();
    carrier_.reset();
    tls_.reset();
    wire_.close();
}

void Channel::start_tls(certs::SslPtr ssl, Scratch& scratch) {
    tls_ = std::make_unique<TlsStream>(std::move(ssl), wire_, scratch);
}

void Channel::on_events(std::uint32_t events) {
    if (carrier_)
        carrier_->on_events(events);
    else
        wire_.on_events(events);
}

std::string_view Channel::read(Scratch& scratch) {
    if (tls_) return {scratch.plain.data(), tls_->read(scratch.plain)};
    if (carrier_) return carrier_->read();
    auto const into = std::span(scratch.plain).first(Scratch::receive_size);
    return {into.data(), wire_.receive(into)};
}

void Channel::write(std::string_view bytes) {
    if (bytes.empty()) return;
    if (tls_)
        tls_->write(bytes);
    else if (carrier_)
        carrier_->write(bytes);
    else
        wire_.send(bytes);
}

void Channel::say_end() {
    if (tls_)
        tls_->say_end();
    else if (carrier_)
        carrier_->close_write();
}

void Channel::close_write() {
    if (tls_)
        tls_->close_write();
    else if (carrier_)
        carrier_->close_write();
    else
        wire_.close_write();
}

}  // namespace stanzagate::proxy
