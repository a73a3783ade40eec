#include "proxy/upstream_connector.hpp"

#include <cerrno>
#include <chrono>
#include <utility>

#include "certs/openssl_ptr.hpp"
#include "certs/upstream_tls.hpp"
#include "proxy/error_text.hpp"
#include "proxy/proxy_protocol.hpp"
#include "proxy/socket_address.hpp"
#include "proxy/worker.hpp"

namespace stanzagate::proxy {
namespace {

// What this process or machine has no more of is no fault of the server's.
bool is_shortage(int error) {
    switch (error) {
        case EADDRNOTAVAIL:  // no local port
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case ENOSPC:  // of epoll
            return true;
        default:
            return false;
    }
}

std::string_view advice_on(int error) {
    switch (error) {
        case EADDRNOTAVAIL:
            return "all local ports towards it are taken, or this machine has no address to reach "
                   "it from: widen net.ipv4.ip_local_port_range, or give the upstream more "
                   "addresses";
        case EMFILE:
            return "all file descriptors of the process are taken: raise LimitNOFILE";
        default:
            return "the system has no more: look at its memory and its limits";
    }
}

}  // namespace

UpstreamConnector::UpstreamConnector(Worker& worker, Pollable& session, Channel& channel,
                                     std::shared_ptr<const Snapshot> snapshot,
                                     UpstreamTarget target)
    : worker_(worker),
      session_(session),
      channel_(channel),
      snapshot_(std::move(snapshot)),
      target_(std::move(target)),
      addresses_(worker.upstreams().in_order(target_.host->upstream.addresses,
                                             UpstreamPool::Clock::now())),
      deadline_(
          worker.loop().deadlines(),
          [](void* self) { static_cast<UpstreamConnector*>(self)->on_deadline(); }, this) {}

UpstreamConnector::~UpstreamConnector() = default;

void UpstreamConnector::start() {
    try_next_address();
}

void UpstreamConnector::try_next_address() {
    if (next_address_ == addresses_.size()) {
        deadline_.cancel();
        state_ = State::failed;
        return;
    }
    ++next_address_;
    was_short_ = false;
    step_ = Step::resolving;
    deadline_.set(target_.host->upstream.connect_timeout);
    auto const attempt = next_address_;
    worker_.upstream_names().resolve(address(), [this, attempt, alive = std::weak_ptr(alive_)](
                                                    auto const& endpoints, auto error) {
        if (alive.expired() || attempt != next_address_ || step_ != Step::resolving) return;
        on_resolved(endpoints, error);
        worker_.loop().again(session_);
    });
}

void UpstreamConnector::on_resolved(const std::vector<config::Endpoint>& endpoints,
                                    std::string_view error) {
    endpoints_ = worker_.upstreams().in_order(endpoints, UpstreamPool::Clock::now());
    next_endpoint_ = 0;
    try_next_endpoint(error);
}

void UpstreamConnector::try_next_endpoint(std::string_view why_not_before) {
    if (next_endpoint_ == endpoints_.size()) return address_failed(why_not_before);
    ++next_endpoint_;
    proxy_header_ = make_proxy_header();
    deadline_.set(target_.host->upstream.connect_timeout);
    if (connect(endpoint())) return;
    if (auto const error = errno; is_shortage(error))
        not_tried(error);
    else
        endpoint_failed(error_text(error));
}

bool UpstreamConnector::connect(const config::Endpoint& endpoint) {
    channel_.close();
    auto const to = to_socket_address(endpoint);
    Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return false;
    set_no_delay(fd.get());
    if (::connect(fd.get(), to.get(), to.size) != 0 && errno != EINPROGRESS) return false;
    if (!worker_.loop().add(fd.get(), session_, Side::upstream)) return false;
    channel_.open(std::move(fd));
    step_ = Step::connecting;
    return true;
}

void UpstreamConnector::on_deadline() {
    if (step_ == Step::resolving)
        address_failed("timeout");
    else
        endpoint_failed("timeout");
    worker_.loop().again(session_);
}

void UpstreamConnector::advance() {
    if (state_ != State::busy) return;
    switch (step_) {
        case Step::resolving:
            return;
        case Step::connecting:
            return on_connected();
        case Step::starttls:
            return advance_starttls();
        case Step::handshake:
            return advance_handshake();
    }
}

void UpstreamConnector::on_connected() {
    if (!channel_.wire().writable()) return;  // not yet
    if (channel_.wire().broken()) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(channel_.wire().fd(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return endpoint_failed(error_text(error));
    }

    switch (address().scheme) {
        case config::UpstreamScheme::tcp:
            return on_up();
        case config::UpstreamScheme::starttls:
            starttls_.emplace(target_.stream_host);
            step_ = Step::starttls;
            channel_.write(take_first_bytes() + starttls_->opening());
            return;
        case config::UpstreamScheme::tls:
            return begin_handshake();
    }
}

void UpstreamConnector::advance_starttls() {
    while (channel_.readable() && starttls_->state() == filters::StartTlsClient::State::waiting)
        channel_.write(starttls_->receive(channel_.read(worker_.scratch())));
    switch (starttls_->state()) {
        case filters::StartTlsClient::State::waiting:
            if (channel_.ended()) endpoint_failed("the server closed the connection");
            return;
        case filters::StartTlsClient::State::failed:
            return endpoint_failed(starttls_->failure());
        case filters::StartTlsClient::State::proceed:
            return begin_handshake();
    }
}

void UpstreamConnector::begin_handshake() {
    starttls_.reset();
    auto ssl = snapshot_->upstream_tls.connect(target_.host->upstream, address().scheme,
                                               target_.stream_host);
    if (!ssl) return endpoint_failed("no certificate can have the name to be verified");
    channel_.start_tls(std::move(ssl), worker_.scratch());
    step_ = Step::handshake;
    advance_handshake();
}

void UpstreamConnector::advance_handshake() {
    auto& tls = *channel_.tls();
    switch (tls.handshake(take_first_bytes())) {
        case TlsStream::Handshake::waiting:
            // The end may stand right behind what was read, and no event tells of it any more.
            if (channel_.readable()) worker_.loop().again(session_);
            return;
        case TlsStream::Handshake::done:
            return on_up();
        case TlsStream::Handshake::failed:
            return endpoint_failed(handshake_failure());
    }
}

// OpenSSL remembers what it thinks of the certificate though nobody has asked for it.
std::string UpstreamConnector::handshake_failure() {
    auto const queued = certs::drain_openssl_errors();
    auto const refused = target_.host->upstream.verify ? certs::verify_error(channel_.tls()->ssl())
                                                       : std::string_view();
    if (!refused.empty()) return std::string(refused);
    return queued.empty() ? "the server closed the connection" : queued;
}

void UpstreamConnector::on_up() {
    deadline_.cancel();
    worker_.upstreams().worked(address());
    worker_.upstreams().worked(endpoint());
    state_ = State::ready;
}

void UpstreamConnector::endpoint_failed(std::string_view reason) {
    std::string const why(reason);  // which may go with what it was read from
    channel_.close();
    starttls_.reset();
    worker_.upstreams().failed(endpoint(), UpstreamPool::Clock::now());
    if (next_endpoint_ != endpoints_.size())
        worker_.log().write_first(config::LogLevel::warning, "upstream_failed",
                                  {{"session", target_.session},
                                   {"host", target_.stream_host},
                                   {"upstream", address().to_string()},
                                   {"address", endpoint().to_string()},
                                   {"reason", why}});
    try_next_endpoint(why);
}

// It is not known whether the server is there, and the next session may find what this one lacks.
void UpstreamConnector::not_tried(int error) {
    channel_.close();
    was_short_ = true;
    auto const reason = error_text(error);
    worker_.log().write_first(config::LogLevel::error, "upstream_not_tried",
                              {{"session", target_.session},
                               {"host", target_.stream_host},
                               {"upstream", address().to_string()},
                               {"address", endpoint().to_string()},
                               {"reason", reason},
                               {"advice", advice_on(error)}});
    try_next_endpoint(reason);
}

void UpstreamConnector::address_failed(std::string_view why) {
    if (was_short_) return try_next_address();
    worker_.log().write_first(config::LogLevel::warning, "upstream_failed",
                              {{"session", target_.session},
                               {"host", target_.stream_host},
                               {"upstream", address().to_string()},
                               {"reason", why}});
    worker_.counters().upstream_failures.add({target_.host->name.to_string()});
    worker_.recent().upstream_failed(address().to_string(), why, std::chrono::system_clock::now());
    worker_.upstreams().failed(address(), UpstreamPool::Clock::now());
    try_next_address();
}

std::string UpstreamConnector::make_proxy_header() const {
    switch (target_.host->upstream.proxy_protocol) {
        case config::ProxyHeader::none:
            return {};
        case config::ProxyHeader::v1:
            return proxy_header_v1(target_.source, target_.destination);
        case config::ProxyHeader::v2:
            return proxy_header_v2(target_.source, target_.destination);
    }
    return {};
}

}  // namespace stanzagate::proxy
