#include "proxy/upstream_visit.hpp"

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "certs/peer_names.hpp"
#include "filters/starttls_client.hpp"
#include "proxy/channel.hpp"
#include "proxy/error_text.hpp"
#include "proxy/event_loop.hpp"
#include "proxy/proxy_protocol.hpp"
#include "proxy/socket_address.hpp"

namespace stanzagate::proxy {
namespace {

using Clock = std::chrono::steady_clock;
using End = Visit::End;

constexpr std::string_view closing_tag = "</stream:stream>";

std::string nothing_within(std::chrono::milliseconds time) {
    auto const tenths = time.count() / 100;
    return "nothing within " + std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) +
           " s";
}

std::string proxy_header(const VisitPlan& plan) {
    switch (plan.header) {
        case config::ProxyHeader::none:
            break;
        case config::ProxyHeader::v1:
            return proxy_header_v1(plan.source, plan.destination);
        case config::ProxyHeader::v2:
            return proxy_header_v2(plan.source, plan.destination);
    }
    return {};
}

// One visit, on a loop of its own that turns only while something is waited for.
class Visitor final : public Pollable {
public:
    Visitor(const VisitPlan& plan, const certs::UpstreamTls& tls)
        : plan_(plan),
          tls_(tls),
          patience_(plan.host->upstream.connect_timeout),
          inquiry_(plan.name),
          first_bytes_(proxy_header(plan)) {
        visit_.header = plan.header;
        visit_.source = plan.source.address;
    }

    Visit run() {
        if (connect() && secure()) converse();
        return std::move(visit_);
    }

    void on_events(Side, std::uint32_t events) override { channel_.on_events(events); }
    void on_again() override {}

private:
    bool connect();
    bool connect_to(const config::Endpoint& endpoint);
    bool secure();
    bool agree_on_tls();
    bool shake_hands();
    void converse();
    bool fail(End end, std::string words);

    // Takes `step` whenever there is something new, until it returns true. False: time is up.
    template <typename Step>
    bool take_until_done(Step step, Clock::time_point deadline) {
        while (!step()) {
            auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
            if (left.count() <= 0) return false;
            loop_.run_once(channel_.readable() ? std::chrono::milliseconds(0) : left);
        }
        return true;
    }

    const VisitPlan& plan_;
    const certs::UpstreamTls& tls_;
    std::chrono::milliseconds patience_;
    std::unique_ptr<Scratch> scratch_ = std::make_unique<Scratch>();
    EventLoop loop_;
    Channel channel_;
    filters::ServerInquiry inquiry_;
    std::string first_bytes_;
    Clock::time_point connected_by_{};
    Visit visit_;
};

bool Visitor::fail(End end, std::string words) {
    visit_.end = end;
    visit_.words = std::move(words);
    return false;
}

bool Visitor::connect() {
    boost::asio::io_context background;
    boost::asio::ip::tcp::resolver resolver(background);
    boost::system::error_code error;
    auto const found =
        resolver.resolve(plan_.address.host, std::to_string(plan_.address.port), error);
    if (error) return fail(End::no_such_name, error.message());
    for (auto const& entry : found) {
        auto const address = entry.endpoint().address();
        if (connect_to({address.is_v4() ? config::Address::from(address.to_v4().to_bytes())
                                        : config::Address::from(address.to_v6().to_bytes()),
                        plan_.address.port}))
            return true;
    }
    return false;
}

bool Visitor::connect_to(const config::Endpoint& endpoint) {
    connected_by_ = Clock::now() + patience_;
    channel_.close();
    auto const to = to_socket_address(endpoint);
    Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return fail(End::not_connected, error_text(errno));
    set_no_delay(fd.get());
    if (::connect(fd.get(), to.get(), to.size) != 0 && errno != EINPROGRESS)
        return fail(End::not_connected, error_text(errno));
    if (!loop_.add(fd.get(), *this, Side::upstream))
        return fail(End::not_connected, error_text(errno));
    channel_.open(std::move(fd));
    if (!take_until_done([&] { return channel_.wire().writable(); }, connected_by_))
        return fail(End::not_connected, nothing_within(patience_));
    if (channel_.wire().broken()) {
        int refused = 0;
        socklen_t size = sizeof refused;
        ::getsockopt(channel_.wire().fd(), SOL_SOCKET, SO_ERROR, &refused, &size);
        if (refused != 0) return fail(End::not_connected, error_text(refused));
    }
    visit_.server = endpoint.address.to_string();
    visit_.gate = local_endpoint(channel_.wire().fd()).address.to_string();
    return true;
}

bool Visitor::secure() {
    switch (plan_.address.scheme) {
        case config::UpstreamScheme::tcp:
            return true;
        case config::UpstreamScheme::starttls:
            return agree_on_tls() && shake_hands();
        case config::UpstreamScheme::tls:
            return shake_hands();
    }
    return false;
}

bool Visitor::agree_on_tls() {
    using State = filters::StartTlsClient::State;
    filters::StartTlsClient client(plan_.name);
    channel_.write(std::exchange(first_bytes_, {}) + client.opening());
    auto const in_time = take_until_done(
        [&] {
            if (channel_.readable()) channel_.write(client.receive(channel_.read(*scratch_)));
            return client.state() != State::waiting || channel_.ended();
        },
        connected_by_);
    if (client.state() == State::proceed) return true;
    if (!in_time) return fail(End::starttls_failed, nothing_within(patience_));
    return fail(End::starttls_failed, client.state() == State::failed
                                          ? std::string(client.failure())
                                          : "the server closed the connection");
}

bool Visitor::shake_hands() {
    using Handshake = TlsStream::Handshake;
    auto upstream = plan_.host->upstream;
    upstream.verify = upstream.verify && plan_.verify;
    auto ssl = tls_.connect(upstream, plan_.address.scheme, plan_.name);
    if (!ssl) return fail(End::tls_failed, "no certificate can have the name to be verified");
    channel_.start_tls(std::move(ssl), *scratch_);
    auto& tls = *channel_.tls();
    auto state = Handshake::waiting;
    static_cast<void>(certs::drain_openssl_errors());
    auto const in_time = take_until_done(
        [&] {
            state = tls.handshake(std::exchange(first_bytes_, {}));
            return state != Handshake::waiting;
        },
        connected_by_);
    if (state == Handshake::done) {
        if (!upstream.verify) visit_.certificate_names = certs::peer_names(tls.ssl());
        return true;
    }
    if (auto const refused = certs::verify_error(tls.ssl()); !refused.empty() && upstream.verify)
        return fail(End::certificate_refused, std::string(refused));
    auto words = certs::drain_openssl_errors();
    if (words.empty())
        words = in_time ? "the server closed the connection" : nothing_within(patience_);
    return fail(End::tls_failed, std::move(words));
}

void Visitor::converse() {
    channel_.write(std::exchange(first_bytes_, {}) + inquiry_.opening());
    auto const in_time = take_until_done(
        [&] {
            if (channel_.readable()) channel_.write(inquiry_.receive(channel_.read(*scratch_)));
            return inquiry_.done() || channel_.ended();
        },
        Clock::now() + patience_);
    visit_.answers = inquiry_.answers();
    if (visit_.answers.features)
        visit_.end = End::answered;
    else if (!visit_.answers.stream_error.empty())
        visit_.end = End::stream_error;
    else if (visit_.answers.no_xmpp)
        visit_.end = End::no_xmpp;
    else
        visit_.end = in_time ? End::closed : End::silent;
    channel_.write(closing_tag);
    channel_.say_end();
}

}  // namespace

Visit visit_upstream(const VisitPlan& plan, const certs::UpstreamTls& tls) {
    return Visitor(plan, tls).run();
}

}  // namespace stanzagate::proxy
