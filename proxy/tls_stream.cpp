#include "proxy/tls_stream.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "certs/tls_context.hpp"

namespace stanzagate::proxy {
namespace {

// Records that say nothing: key updates (RFC 8446 section 4.6.3), tickets, attempts to renegotiate,
// alerts. They cost more than bytes do, OpenSSL answers some of them, and no limit on what a client
// may say sees them. Nobody needs one a minute.
constexpr unsigned most_control_records = 64;
constexpr std::chrono::hours control_record_span{1};

}  // namespace

TlsStream::TlsStream(certs::SslPtr ssl, Wire& wire, Scratch& scratch)
    : ssl_(std::move(ssl)), wire_(&wire), scratch_(scratch) {
    if (!scratch_.bio) {
        scratch_.bio.reset(BIO_new(method()));
        if (!scratch_.bio) throw std::bad_alloc();
        BIO_set_init(scratch_.bio.get(), 1);
    }
    auto* const bio = scratch_.bio.get();
    BIO_up_ref(bio);
    SSL_set_bio(ssl_.get(), bio, bio);  // takes over that reference
}

TlsStream::Handshake TlsStream::handshake(std::string_view before) {
    begin_turn();
    if (!before.empty()) {
        std::memcpy(scratch_.sending.data(), before.data(), before.size());
        scratch_.to_send = before.size();
    }
    ERR_clear_error();
    auto const result = SSL_do_handshake(ssl_.get());
    auto const error = SSL_get_error(ssl_.get(), result);
    end_turn();
    if (result == 1) {
        SSL_set_msg_callback(ssl_.get(), on_message);
        return Handshake::done;
    }
    if (error == SSL_ERROR_WANT_READ && !wire_->ended()) return Handshake::waiting;
    ended_ = broken_ = true;
    return Handshake::failed;
}

std::size_t TlsStream::read(std::span<char> into) {
    begin_turn();
    std::size_t total = 0;
    ERR_clear_error();  // once: what succeeds leaves no error behind
    while (!ended_ && !broken_ && into.size() - total >= Scratch::record) {
        std::size_t size = 0;
        auto const result =
            SSL_read_ex(ssl_.get(), into.data() + total, into.size() - total, &size);
        if (result == 1) {
            total += size;
            continue;
        }
        auto const error = SSL_get_error(ssl_.get(), result);
        if (error == SSL_ERROR_WANT_READ) break;
        ended_ = true;
        broken_ = error != SSL_ERROR_ZERO_RETURN;
    }
    ended_ = ended_ || broken_;
    end_turn();
    return total;
}

void TlsStream::write(std::string_view bytes) {
    begin_turn();
    ERR_clear_error();
    while (!bytes.empty() && !broken_) {
        std::size_t size = 0;
        if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size) != 1) {
            broken_ = true;
            break;
        }
        bytes.remove_prefix(size);
    }
    end_turn();
}

void TlsStream::close_write() {
    say_end();
    wire_->close_write();
}

void TlsStream::say_end() {
    if (broken_ || (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0) return;
    begin_turn();
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    wire_->send_before_more({scratch_.sending.data(), std::exchange(scratch_.to_send, 0)});
    end_turn();
}

void TlsStream::begin_turn() {
    BIO_set_data(scratch_.bio.get(), this);
    scratch_.received_this_turn = false;
    scratch_.to_send = 0;
    scratch_.received_begin = 0;
    scratch_.received_end =
        undecrypted_.view().copy(scratch_.received.data(), Scratch::receive_size);
    undecrypted_.drop(scratch_.received_end);
}

// The scratch goes to another session now.
void TlsStream::end_turn() {
    send_pending();
    undecrypted_.prepend({scratch_.received.data() + scratch_.received_begin,
                          scratch_.received_end - scratch_.received_begin});
    // OpenSSL's own record buffers, unless half a record is in them. (Inside a handshake they are
    // needed again at once, and what they hold is not asked for so easily.)
    if (SSL_is_init_finished(ssl_.get()) == 1 && !certs::holds_part_of_record(ssl_.get()))
        SSL_free_buffers(ssl_.get());
}

void TlsStream::send_pending() {
    if (scratch_.to_send > 0)
        wire_->send({scratch_.sending.data(), std::exchange(scratch_.to_send, 0)});
}

int TlsStream::on_read(BIO* bio, char* into, int size) {
    auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
    auto& scratch = self.scratch_;
    BIO_clear_retry_flags(bio);
    if (self.broken_) {  // SSL_read() goes on by itself behind a control record
        BIO_set_retry_read(bio);
        return -1;
    }
    if (scratch.received_begin == scratch.received_end &&
        !std::exchange(scratch.received_this_turn, true)) {
        scratch.received_begin = 0;
        scratch.received_end = self.wire_->receive(scratch.received);
    }
    auto const available = scratch.received_end - scratch.received_begin;
    if (available == 0) {
        // At the wire's end too: ended() tells of it, and SSL can still be written to.
        BIO_set_retry_read(bio);
        return -1;
    }
    auto const taken = std::min(available, static_cast<std::size_t>(size));
    std::memcpy(into, scratch.received.data() + scratch.received_begin, taken);
    scratch.received_begin += taken;
    return static_cast<int>(taken);
}

int TlsStream::on_write(BIO* bio, const char* bytes, int size) {
    auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
    auto& scratch = self.scratch_;
    BIO_clear_retry_flags(bio);
    std::string_view rest(bytes, static_cast<std::size_t>(size));
    while (!rest.empty()) {
        if (scratch.to_send == scratch.sending.size()) self.send_pending();
        auto const taken = rest.copy(scratch.sending.data() + scratch.to_send,
                                     scratch.sending.size() - scratch.to_send);
        scratch.to_send += taken;
        rest.remove_prefix(taken);
    }
    return size;
}

long TlsStream::on_control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// What a record is, stands in its header; under TLS 1.3 the header does not tell, but its content.
void TlsStream::on_message(int sent, int, int type, const void* bytes, std::size_t, SSL* ssl,
                           void*) {
    if (sent != 0 || (type != SSL3_RT_HEADER && type != SSL3_RT_INNER_CONTENT_TYPE)) return;
    if (*static_cast<const unsigned char*>(bytes) == SSL3_RT_APPLICATION_DATA) return;
    static_cast<TlsStream*>(BIO_get_data(SSL_get_rbio(ssl)))->count_control_record();
}

void TlsStream::count_control_record() {
    auto const now = std::chrono::steady_clock::now();
    if (control_records_ == 0 || now - first_control_record_ > control_record_span) {
        first_control_record_ = now;
        control_records_ = 0;
    }
    if (++control_records_ > most_control_records) broken_ = true;
}

const BIO_METHOD* TlsStream::method() {
    // Made once for the process and shared by all workers; read-only from then on.
    static const std::unique_ptr<BIO_METHOD, certs::Free<BIO_meth_free>> made = [] {
        auto* const bio_method =
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stanzagate");
        BIO_meth_set_read(bio_method, on_read);
        BIO_meth_set_write(bio_method, on_write);
        BIO_meth_set_ctrl(bio_method, on_control);
        return std::unique_ptr<BIO_METHOD, certs::Free<BIO_meth_free>>(bio_method);
    }();
    return made.get();
}

}  // namespace stanzagate::proxy
