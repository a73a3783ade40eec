#include "proxy/channel.hpp"

#include <utility>

namespace stanzagate::proxy {

void Channel::close() {
    tls_.reset();
    wire_.close();
}

void Channel::start_tls(certs::SslPtr ssl, Scratch& scratch) {
    tls_ = std::make_unique<TlsStream>(std::move(ssl), wire_, scratch);
}

std::string_view Channel::read(Scratch& scratch) {
    if (tls_) return {scratch.plain.data(), tls_->read(scratch.plain)};
    auto const into = std::span(scratch.plain).first(Scratch::receive_size);
    return {into.data(), wire_.receive(into)};
}

void Channel::write(std::string_view bytes) {
    if (bytes.empty()) return;
    if (tls_)
        tls_->write(bytes);
    else
        wire_.send(bytes);
}

void Channel::say_end() {
    if (tls_) tls_->say_end();
}

void Channel::close_write() {
    if (tls_)
        tls_->close_write();
    else
        wire_.close_write();
}

}  // namespace stanzagate::proxy
