#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "config/admin_address.hpp"
#include "proxy/admin_socket.hpp"
#include "proxy/http_request.hpp"
#include "proxy/http_response.hpp"
#include "proxy/log.hpp"

namespace stanzagate::proxy {

// HTTP for operators, on the background loop: one request for each connection, and an end to each.
// Whoever connects slowly or often harms only others who do so: of too many the oldest is let go.
//   answer_by(), then listen() as often as the configuration changes
class AdminServer {
public:
    using Answer = std::function<HttpResponse(const HttpRequest&)>;

    static constexpr std::size_t most_connections = 32;
    static constexpr std::chrono::seconds most_time{10};  // for each

    AdminServer(boost::asio::io_context& background, const Log& log);
    ~AdminServer();
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;

    void answer_by(Answer answer);
    // From now on it is there, and no longer where it was; absent: nowhere. False, with the reason
    // logged, where it cannot be: then it stays where it was.
    bool listen(const std::optional<config::AdminAddress>& address);
    // What the next listen() uses instead of opening one: a socket at its address.
    void inherit(std::optional<InheritedSocket> socket) { inherited_ = std::move(socket); }
    // What another process would have to inherit.
    std::optional<PassedSocket> socket();
    // Another process has the socket, too, and answers from now on. Who is connected is answered.
    void hand_over();

private:
    class Connection;
    using Protocol = boost::asio::generic::stream_protocol;
    using Acceptor = boost::asio::basic_socket_acceptor<Protocol>;

    std::variant<AdminSocket, std::string> open(const config::AdminAddress& address);
    void accept();
    void serve(Protocol::socket socket);

    boost::asio::io_context& background_;
    const Log& log_;
    std::shared_ptr<const Answer> answer_ = std::make_shared<const Answer>();
    std::optional<config::AdminAddress> address_;  // as configured
    std::optional<AdminSocket> listening_;         // its name, while it is there
    std::optional<InheritedSocket> inherited_;
    std::unique_ptr<Acceptor> acceptor_;
    boost::asio::steady_timer retry_;
    std::list<std::weak_ptr<Connection>> connections_;  // the oldest first
};

}  // namespace stanzagate::proxy
