#include "bench/load/web_sink.hpp"

#include <sys/epoll.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "bench/load/bosh.hpp"
#include "bench/load/websocket.hpp"

namespace stanzagate::load {

class WebSink::Connection : public Watcher {
public:
    Connection(WebSink& sink, Fd fd)
        : sink_(sink), socket_(sink.loop_, *this, std::move(fd), EPOLLIN) {}
    virtual ~Connection() = default;

    void on_events(std::uint32_t events) override {
        if ((events & EPOLLOUT) != 0) socket_.flush();
        if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return;
        std::array<char, 16UL * 1024> received;
        std::size_t size = 0;
        auto const how = socket_.receive(received, size);
        if (how == Socket::Read::bytes) return receive({received.data(), size});
        if (how != Socket::Read::nothing) sink_.connections_.erase(self_);  // and this object
    }

    void found_at(Connections::iterator self) { self_ = self; }

protected:
    virtual void receive(std::string_view bytes) = 0;

    WebSink& sink_;
    Socket socket_;

private:
    Connections::iterator self_;
};

class WebSink::WebsocketConnection final : public Connection {
public:
    using Connection::Connection;

private:
    void receive(std::string_view bytes) override {
        if (!open_) {
            request_.feed(bytes);
            auto const request = request_.next();
            if (!request) return;
            socket_.send(websocket_response(request->head));
            open_ = true;
            return;  // the client waits for that
        }
        frames_.feed(bytes);
        while (auto const element = frames_.next()) socket_.send(answer(*element));
        if (frames_.closed()) socket_.close_write();
    }

    std::string answer(std::string_view element) {
        if (server_.bound()) return unmasked_text(element);
        if (!element.starts_with("<open")) return unmasked_text(server_.answer_element(element));
        constexpr std::string_view header =
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='bench.test' version='1.0' "
            "id='8d2a9f1c-6d0e-4c7b-9a55-2b1f0e3c4d5e' xml:lang='en'/>";
        return unmasked_text(header) + unmasked_text(server_.features());
    }

    HttpReader request_;
    FrameReader frames_;
    ServerSide server_;
    bool open_ = false;
};

class WebSink::BoshConnection final : public Connection {
public:
    using Connection::Connection;
    ~BoshConnection() override {
        if (holds_) holds_->holds = nullptr;
    }

private:
    void receive(std::string_view bytes) override {
        requests_.feed(bytes);
        while (auto const request = requests_.next()) serve(request->body);
    }

    // As a connection manager with hold='1' does it: one request waits, and a new one has the one
    // before answered.
    void serve(std::string_view body) {
        auto sid = std::string(bosh_attribute(body, "sid"));
        if (sid.empty()) return open();
        auto const found = sink_.sessions_.find(sid);
        if (found == sink_.sessions_.end()) throw std::runtime_error("BOSH of no session");
        auto& session = found->second;
        if (auto* const before = std::exchange(session.holds, nullptr)) before->let_go();
        if (bosh_attribute(body, "type") == "terminate") {
            respond(" type='terminate'");
            sink_.sessions_.erase(found);
            return;
        }
        auto const answers = answer(session.server, body);
        if (!answers.empty()) return respond({}, answers);
        session.holds = this;
        holds_ = &session;
    }

    void open() {
        auto const sid = std::to_string(++sink_.last_sid_);
        auto const& session = sink_.sessions_[sid];
        respond(" sid='" + sid +
                    "' wait='60' requests='2' hold='1' inactivity='60' ver='1.11' polling='2' "
                    "from='bench.test' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' "
                    "xmpp:restartlogic='true' xmlns:stream='http://etherx.jabber.org/streams'",
                session.server.features());
    }

    static std::string answer(ServerSide& server, std::string_view body) {
        if (!bosh_attribute(body, "xmpp:restart").empty()) return server.features();
        auto const payload = bosh_payload(body);
        return server.bound() ? std::string(payload) : server.answer_element(payload);
    }

    void let_go() {
        holds_ = nullptr;
        respond({});
    }

    void respond(std::string_view attributes, std::string_view payload = {}) {
        socket_.send(http_ok(bosh_body(attributes, payload)));
    }

    HttpReader requests_;
    Session* holds_ = nullptr;  // whose request waits on this connection
};

WebSink::WebSink(Loop& loop, const sockaddr_in& address, std::string_view door)
    : loop_(loop), listening_(listen_on(address)), bosh_(door == "bosh") {
    loop_.add(listening_.get(), *this, EPOLLIN);
}

WebSink::~WebSink() = default;

void WebSink::on_events(std::uint32_t /*events*/) {
    while (auto fd = accept_from(listening_.get())) {
        std::unique_ptr<Connection> made;
        if (bosh_)
            made = std::make_unique<BoshConnection>(*this, std::move(fd));
        else
            made = std::make_unique<WebsocketConnection>(*this, std::move(fd));
        auto const self = connections_.insert(connections_.end(), std::move(made));
        (*self)->found_at(self);
    }
}

}  // namespace stanzagate::load
