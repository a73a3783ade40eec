#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "certs/openssl_ptr.hpp"
#include "proxy/kept_bytes.hpp"
#include "proxy/scratch.hpp"
#include "proxy/wire.hpp"

namespace stanzagate::proxy {

// TLS on a Wire, with a BIO of its own that reads from and writes to the worker's scratch: one
// recv() brings all records that have arrived, one send() carries all records that a turn made.
// An idle stream holds nothing but the SSL object (design: 13.7 KB against the 70 KB of a BIO
// pair).
//   handshake()* until done or failed; then read(), write(), close_write() at any time.
// Borrows the wire, in whose place use() puts another, and the scratch.
class TlsStream {
public:
    enum class Handshake : std::uint8_t { waiting, done, failed };

    TlsStream(certs::SslPtr ssl, Wire& wire, Scratch& scratch);
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    // The wire has moved.
    void use(Wire& wire) { wire_ = &wire; }

    // `before` goes out in the clear, in one packet with the first bytes of the handshake.
    Handshake handshake(std::string_view before = {});

    // Decrypts what has arrived, at most one recv()'s worth, into `into`, which must have room for
    // one record more than a scratch's receive_size. 0: nothing now, or ended().
    std::size_t read(std::span<char> into);
    void write(std::string_view bytes);
    // close_notify (RFC 8446 section 6.1), then FIN. What arrives can still be read.
    void close_write();
    // close_notify alone; it goes out with the FIN of the wire's end, which must follow at once.
    void say_end();

    // Received bytes are waiting to be decrypted: read() again though the wire is not readable.
    bool buffered() const { return !undecrypted_.empty(); }
    bool ended() const { return ended_ || (wire_->ended() && !buffered()); }
    // TLS has failed, by a forged record say, or a peer that goes on about TLS instead of saying
    // anything: neither direction can go on.
    bool broken() const { return broken_; }
    const SSL* ssl() const { return ssl_.get(); }

private:
    static const BIO_METHOD* method();
    static int on_read(BIO* bio, char* into, int size);
    static int on_write(BIO* bio, const char* bytes, int size);
    static long on_control(BIO* bio, int command, long number, void* pointer);
    static void on_message(int sent, int version, int type, const void* bytes, std::size_t size,
                           SSL* ssl, void* unused);

    void begin_turn();
    void end_turn();
    void send_pending();
    void count_control_record();

    certs::SslPtr ssl_;
    Wire* wire_;
    Scratch& scratch_;
    bool ended_ = false;     // close_notify, or broken
    bool broken_ = false;    // SSL must not be asked to say anything more
    KeptBytes undecrypted_;  // between turns: received, not decrypted. Rare and small.
    // Received since the handshake, within an hour of the first of them.
    unsigned control_records_ = 0;
    std::chrono::steady_clock::time_point first_control_record_;
};

}  // namespace stanzagate::proxy
