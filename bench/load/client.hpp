#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bench/load/door.hpp"
#include "bench/load/loop.hpp"
#include "bench/load/socket.hpp"
#include "bench/load/tls.hpp"
#include "bench/load/xmpp.hpp"

namespace stanzagate::load {

class Client;

// Who drives clients.
class ClientOwner {
public:
    virtual void on_open(Client& client) = 0;    // through the door: play() something, or close()
    virtual void on_played(Client& client) = 0;  // the script's last answer is there
    virtual void on_received(Client& /*client*/, std::string_view /*xmpp*/) {}  // none is played
    virtual void on_answer(Client& /*client*/, std::string_view /*answer*/) {}  // one is played
    virtual void on_read(Client& /*client*/) {}      // all that has come was looked at
    virtual void on_writable(Client& /*client*/) {}  // see want_writable()
    virtual void on_closed(Client& client) = 0;      // both ways; it may be deleted here
    // Something went wrong, or the proxy closed first. The connection is closed; it may be deleted.
    virtual void on_failed(Client& client, const std::string& why);

protected:
    ~ClientOwner() = default;
};

// Where and how the clients of a run connect.
struct Target {
    sockaddr_in address{};
    std::string host;  // the XMPP domain, and the name for SNI
    std::string door;
    in_addr_t source = 0;  // the address to come from, in network order; 0: any
};

// One client connection, and what its door adds to it, from connect() to the proxy's FIN. A
// connection that ends before close() was called has failed, and so has the whole run, unless its
// owner knows better: what is measured here does not fail.
class Client final : public Watcher {
public:
    // `ticket`: the TLS session to take up again, or nullptr.
    Client(Loop& loop, const Target& target, const TlsClientContext& tls, certs::SessionPtr ticket,
           ClientOwner& owner);

    void on_events(std::uint32_t events) override;

    // For the owner, once open. Everything goes out at once.
    void play(Script script);
    void send(std::string_view element);
    // Bytes that are wrapped already (see door()), cut into TLS records of `record` bytes.
    void send_records(std::string_view bytes, std::size_t record);
    bool blocked() const { return socket_.blocked(); }
    void want_writable(bool wanted) { socket_.want_writable(wanted); }
    void want_readable(bool wanted) { socket_.want_readable(wanted); }
    void close();
    void cut();  // without a word, and what is under way is lost
    const Door& door() const { return *door_; }
    const Target& target() const { return target_; }
    const std::string& host() const { return target_.host; }
    bool resumed() const { return tls_ && tls_->resumed(); }
    bool has_ticket() const { return tls_ && tls_->has_ticket(); }

    // For the door.
    void send_raw(std::string_view bytes);
    void start_tls();
    void opened();
    // The end of a handshake goes out with what follows it, unless told to go: all clients share
    // the buffer that it is in.
    void flush();
    void arrived(std::string_view xmpp);
    void fail(const std::string& why);
    // Another connection of the same run.
    std::unique_ptr<Client> another(const Target& target, ClientOwner& owner) const;

private:
    enum class State : std::uint8_t { connecting, at_the_door, open, closing, closed };

    void turn(std::uint32_t events);
    void on_connected();
    void on_readable();
    void on_encrypted(std::string_view bytes);
    void on_plain(std::string_view bytes);
    void on_answer(std::string_view xmpp);
    void next_step();
    void on_end(Socket::Read how);

    Loop& loop_;
    const Target& target_;
    const TlsClientContext& context_;
    certs::SessionPtr ticket_;  // until TLS begins
    ClientOwner& owner_;
    Socket socket_;
    std::unique_ptr<Door> door_;
    std::optional<Tls> tls_;
    State state_ = State::connecting;
    Script script_;
    std::size_t step_ = 0;
    std::string answer_;
};

}  // namespace stanzagate::load
