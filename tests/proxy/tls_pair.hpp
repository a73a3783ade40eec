#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <string_view>

#include "certs/server_tls.hpp"
#include "proxy/tls_stream.hpp"
#include "tests/proxy/sockets.hpp"
#include "tests/proxy/test_snapshot.hpp"
#include "tests/proxy/tls_client.hpp"

namespace stanzagate::proxy::testing {

// What all streams of a worker share.
struct SharedTls {
    Scratch scratch{};
    certs::ServerTls tls{usual_snapshot()->certificates, certs::TicketKeys::generate()};

    // Between turns the scratch belongs to somebody else.
    void spoil() {
        scratch.received.fill('\xEE');
        scratch.plain.fill('\xEE');
        scratch.sending.fill('\xEE');
    }
};

// The gate's end of one connection (a TlsStream on a Wire), and a client that the test plays.
struct TlsPair {
    explicit TlsPair(SharedTls& common, int send_buffer = 0, int version = 0)
        : shared(common),
          pair(send_buffer),
          wire(std::move(pair.ours)),
          events(wire),
          stream(common.tls.accept(certs::Door::direct), wire, common.scratch),
          client("example.org", version) {}

    // To the end of the gate's handshake; the client's bytes come in pieces of that size, and
    // `behind` in one packet with its last ones.
    bool handshake(std::size_t piece = 1 << 20, std::string_view behind = {}) {
        auto state = TlsStream::Handshake::waiting;
        return eventually([&] { return state == TlsStream::Handshake::done; },
                          [&] {
                              auto bytes = client.handshake();
                              if (client.done()) bytes += client.encrypt(behind);
                              for (std::size_t at = 0; at < bytes.size(); at += piece) {
                                  say(pair.theirs, std::string_view(bytes).substr(at, piece));
                                  if (!wait_readable()) return;
                                  state = stream.handshake();
                                  shared.spoil();
                              }
                              client.feed(arrived());
                          });
    }
    // What the gate has sent and nobody has taken.
    std::string arrived() const {
        std::string bytes(1 << 20, '\0');
        auto const n = ::recvfrom(pair.theirs.get(), bytes.data(), bytes.size(), MSG_DONTWAIT,
                                  nullptr, nullptr);
        bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return bytes;
    }
    bool wait_readable() {
        return eventually([&] { return wire.readable(); },
                          [&] { events.wait(std::chrono::milliseconds(100)); });
    }
    // One read().
    std::string read() {
        auto const size = stream.read(shared.scratch.plain);
        std::string got(shared.scratch.plain.data(), size);
        shared.spoil();
        return got;
    }
    // As the relay does: whenever there is something to read, until there is so much, or an end.
    std::string read(std::size_t size) {
        std::string got;
        EXPECT_TRUE(eventually(
            [&] {
                while (got.size() < size && (wire.readable() || stream.buffered()) &&
                       !stream.ended())
                    got += read();
                return got.size() >= size || stream.ended();
            },
            [&] { events.wait(std::chrono::milliseconds(100)); }));
        return got;
    }
    std::string read_to_end() { return read(std::string::npos); }
    void write(std::string_view text) {
        stream.write(text);
        shared.spoil();
    }
    // What the client gets, until there is so much of it or an end.
    std::string client_reads(std::size_t size) {
        std::string got;
        EXPECT_TRUE(eventually([&] { return got.size() >= size || client.told_end(); },
                               [&] {
                                   auto const bytes = arrived();
                                   client.feed(bytes);
                                   got += client.read();
                                   if (bytes.empty()) events.wait(std::chrono::milliseconds(1));
                               }));
        return got;
    }

    SharedTls& shared;
    TcpPair pair;
    Wire wire;
    WireEvents events;
    TlsStream stream;
    TlsClient client;
};

}  // namespace stanzagate::proxy::testing
