#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace stanzagate::load {

class Client;

// One way for a client's XMPP to come in: what precedes the stream, and how the stream is wrapped.
// One object for each connection. A new door is one file in doors/ and one line in door.cpp.
//
// These defaults are direct TLS. The client calls on_connected() first; the door then calls
// Client::start_tls() and Client::opened(), whenever it is through.
class Door {
public:
    virtual ~Door() = default;

    virtual void on_connected(Client& client);
    virtual void on_secured(Client& client);
    // What arrives, decrypted, before the door called opened(); and after that: what is XMPP in it
    // goes to Client::arrived().
    virtual void on_bytes(Client& client, std::string_view bytes);
    virtual void on_received(Client& client, std::string_view bytes);

    // What opens a stream; again after authentication.
    virtual std::string header(std::string_view host) const;
    // One element as it travels.
    virtual std::string wrap(std::string_view element) const { return std::string(element); }
    virtual void send(Client& client, std::string_view element);
    // The last chance to say something.
    virtual void on_close(Client& /*client*/) {}
};

// "plain", "direct", "starttls", "websocket", "bosh". Throws where there is no such door.
std::unique_ptr<Door> make_door(std::string_view name);

// The doors that are no more than a class derived from Door, in doors/.
std::unique_ptr<Door> make_bosh_door();
std::unique_ptr<Door> make_plain_door();
std::unique_ptr<Door> make_starttls_door();
std::unique_ptr<Door> make_websocket_door();

}  // namespace stanzagate::load
