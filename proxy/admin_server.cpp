#include "proxy/admin_server.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <utility>
#include <variant>

namespace stanzagate::proxy {
namespace {

constexpr std::chrono::milliseconds retry_pause{250};
constexpr std::chrono::seconds linger_time{2};

}  // namespace

// Reads a request, answers it, and waits for the other side to close. Lives as long as one of its
// handlers waits.
class AdminServer::Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(Protocol::socket socket, std::shared_ptr<const Answer> answer)
        : socket_(std::move(socket)), answer_(std::move(answer)), timer_(socket_.get_executor()) {}

    void start() {
        close_after(most_time);
        read();
    }

    void close() {
        boost::system::error_code ignored;
        socket_.close(ignored);
        timer_.cancel();
    }

private:
    void close_after(std::chrono::seconds time) {
        timer_.expires_after(time);
        timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
            if (error) return;
            if (auto const self = weak.lock()) self->close();
        });
    }

    void read() {
        socket_.async_read_some(
            boost::asio::buffer(bytes_),
            [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
                if (error) return self->close();
                if (self->answered_) return self->read();  // and dropped
                self->feed({self->bytes_.data(), size});
            });
    }

    void feed(std::string_view bytes) {
        reader_.feed(bytes);
        if (auto const status = reader_.error()) return respond(plain_response(*status));
        if (!reader_.done()) return read();
        auto const request = reader_.take();
        if (auto const status = reader_.error()) return respond(plain_response(*status));
        respond((*answer_)(request));
    }

    // What the other side still sends is read for a while: closing under it would take our answer
    // away.
    void respond(const HttpResponse& response) {
        answered_ = true;
        out_ = write_http_response(response, false);
        boost::asio::async_write(
            socket_, boost::asio::buffer(out_),
            [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                if (error) return self->close();
                self->socket_.shutdown(Protocol::socket::shutdown_send, error);
                self->close_after(linger_time);
                self->read();
            });
    }

    Protocol::socket socket_;
    std::shared_ptr<const Answer> answer_;
    boost::asio::steady_timer timer_;
    HttpRequestReader reader_{0};
    std::array<char, 4096> bytes_{};
    std::string out_;
    bool answered_ = false;
};

AdminServer::AdminServer(boost::asio::io_context& background, const Log& log)
    : background_(background), log_(log), retry_(background) {}

AdminServer::~AdminServer() = default;

void AdminServer::answer_by(Answer answer) {
    answer_ = std::make_shared<const Answer>(std::move(answer));
}

bool AdminServer::listen(const std::optional<config::AdminAddress>& address) {
    if (address == address_) return true;
    std::optional<AdminSocket> next;
    std::unique_ptr<Acceptor> acceptor;
    if (address) {
        auto opened = open(*address);
        if (auto const* const why = std::get_if<std::string>(&opened)) {
            log_.error(
                "cannot_listen",
                {{"address", address->to_string()}, {"reason", *why}, {"key", "server.admin"}});
            return false;
        }
        next = std::get<AdminSocket>(std::move(opened));
        acceptor =
            std::make_unique<Acceptor>(background_, Protocol(next->family(), 0), next->release());
        log_.info("admin_listening", {{"address", next->address().to_string()}});
    }
    address_ = address;
    listening_ = std::move(next);
    acceptor_ = std::move(acceptor);
    retry_.cancel();
    if (acceptor_) accept();
    return true;
}

std::variant<AdminSocket, std::string> AdminServer::open(const config::AdminAddress& address) {
    if (auto inherited = std::exchange(inherited_, std::nullopt))
        return AdminSocket::adopt(std::move(*inherited));
    return AdminSocket::open(address,
                             acceptor_ ? std::optional(acceptor_->native_handle()) : std::nullopt);
}

std::optional<PassedSocket> AdminServer::socket() {
    if (!acceptor_) return std::nullopt;
    return PassedSocket{acceptor_->native_handle(), SocketUse::admin, listening_->is_ours()};
}

void AdminServer::hand_over() {
    if (listening_) listening_->leave_file();
    listen(std::nullopt);
}

void AdminServer::accept() {
    acceptor_->async_accept([this, acceptor = acceptor_.get()](
                                const boost::system::error_code& error, Protocol::socket socket) {
        bool const is_this_one = acceptor == acceptor_.get();  // else it listens elsewhere now
        if (!error) {
            if (is_this_one) accept();
            return serve(std::move(socket));
        }
        if (!is_this_one) return;
        // Out of descriptors, most likely.
        retry_.expires_after(retry_pause);
        retry_.async_wait([this, acceptor](const boost::system::error_code& aborted) {
            if (!aborted && acceptor == acceptor_.get()) accept();
        });
    });
}

void AdminServer::serve(Protocol::socket socket) {
    connections_.remove_if([](auto const& connection) { return connection.expired(); });
    if (connections_.size() >= most_connections) {
        if (auto const oldest = connections_.front().lock()) oldest->close();
        connections_.pop_front();
    }
    auto const connection = std::make_shared<Connection>(std::move(socket), answer_);
    connections_.push_back(connection);
    connection->start();
}

}  // namespace stanzagate::proxy
