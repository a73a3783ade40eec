#include "tests/proxy/test_gate.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "proxy/listener.hpp"
#include "proxy/socket_address.hpp"
#include "tests/proxy/sockets.hpp"
#include "tests/proxy/test_snapshot.hpp"

namespace stanzagate::proxy::testing {
namespace {

const config::Endpoint any_port{config::Address::from(config::Address::V4{127, 0, 0, 1}), 0};

struct DoorKind {
    std::string_view name;
    std::string_view tls;
    bool http = false;
};
constexpr std::array<DoorKind, 5> door_kinds{{{"starttls", "starttls"},
                                              {"direct", "direct"},
                                              {"none", "none"},
                                              {"all", "direct", true},
                                              {"all-none", "none", true}}};

Fd opened(config::Endpoint& endpoint) {
    auto socket = open_listening_socket(endpoint);
    if (auto const* const why = std::get_if<std::string>(&socket)) throw std::runtime_error(*why);
    return std::get<Fd>(std::move(socket));
}

bool waits(const Fd& fd, int milliseconds) {
    pollfd wanted{fd.get(), POLLIN, 0};
    return ::poll(&wanted, 1, milliseconds) == 1;
}

void limit_waiting(const Fd& fd) {
    timeval const limit{10, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

std::string with_doors_and_host(std::string_view settings, std::uint16_t upstream_port) {
    std::string toml(settings);
    for (auto const& door : door_kinds) {
        toml += "[[listen]]\naddress = '127.0.0.1:0'\ntls = '" + std::string(door.tls) + "'\n";
        if (door.http) toml += "serve = ['xmpp', 'websocket', 'bosh']\n";
        toml += "forwarded_from = ['127.0.0.3']\n";
    }
    toml +=
        "[registration]\nurl = 'https://example.org/'\nwhitelist = []\nadvertise = 'upstream'\n"
        "[[host]]\nname = 'example.org'\nself_signed = true\nupstream = 'tcp://127.0.0.1:";
    return toml + std::to_string(upstream_port) + "'\n";
}

}  // namespace

TestUpstream::TestUpstream(int receive_buffer) {
    auto endpoint = any_port;
    listener_ = opened(endpoint);
    port_ = endpoint.port;
    if (receive_buffer != 0)  // what is accepted inherits it
        ::setsockopt(listener_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                     sizeof receive_buffer);
}

Fd TestUpstream::accept() const {
    if (!waits(listener_, 10'000)) return {};
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    limit_waiting(fd);
    return fd;
}

bool TestUpstream::has_waiting() const {
    return waits(listener_, 0);
}

Client::Client(Fd fd, bool with_tls) {
    if (with_tls)
        tls_ = std::make_unique<TlsConnection>(std::move(fd), "example.org");
    else
        fd_ = std::move(fd);
}

bool Client::handshake() {
    return !tls_ || tls_->handshake();
}

void Client::say(std::string_view text) {
    if (tls_)
        tls_->say(text);
    else
        testing::say(fd_, text);
}

std::string Client::hear(std::size_t size) {
    return tls_ ? tls_->hear(size) : testing::hear(fd_, size);
}

std::string Client::hear_until(std::string_view mark) {
    if (tls_) return tls_->hear_until(mark);
    std::string heard;
    while (!heard.ends_with(mark)) {
        auto const more = testing::hear(fd_, 1);
        if (more.empty()) break;
        heard += more;
    }
    return heard;
}

std::string Client::hear_to_end() {
    return tls_ ? tls_->hear_to_end() : testing::hear_to_end(fd_);
}

void Client::say_no_more() {
    if (tls_)
        tls_->say_no_more();
    else
        testing::say_no_more(fd_);
}

void Client::say_last(std::string_view text) {
    std::string bytes(text);
    if (tls_) bytes = tls_->tls().encrypt(text);
    if (tls_) bytes += tls_->tls().close_notify();
    testing::say_last(fd(), bytes);
}

TestGate::TestGate(const TestUpstream& upstream, std::string_view settings, Buffers buffers,
                   unsigned workers)
    : admission_(config::Limits{}),
      snapshot_(snapshot_of(with_doors_and_host(settings, upstream.port()))),
      doors_(workers, std::vector(door_kinds.size(), any_port)) {
    ::testing::internal::CaptureStderr();
    admission_.use(snapshot_->config.limits);
    auto const keys = certs::TicketKeys::generate();
    for (unsigned i = 0; i < workers; ++i) {
        workers_.push_back(
            std::make_unique<Worker>(i, snapshot_,
                                     Shared{log_, admission_, said_, resolver_, lookups_, quotas_,
                                            invitations_, bosh_, recent_, keys}));
        workers_.back()->use(snapshot_, open_doors(doors_[i], buffers));
    }
    for (auto const& worker : workers_) threads_.emplace_back([&worker] { worker->run(); });
}

std::vector<Door> TestGate::open_doors(std::vector<config::Endpoint>& endpoints,
                                       Buffers buffers) const {
    std::vector<Door> doors;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        auto socket = opened(endpoints[i]);
        // What is accepted inherits them.
        if (buffers.send != 0)
            ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &buffers.send, sizeof buffers.send);
        if (buffers.receive != 0)
            ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &buffers.receive,
                         sizeof buffers.receive);
        doors.push_back({std::to_string(i),
                         std::make_shared<const config::Listen>(snapshot_->config.listen[i]),
                         std::move(socket)});
    }
    return doors;
}

TestGate::~TestGate() {
    if (threads_.empty()) return;
    drain(std::chrono::milliseconds(0));
    join();
}

void TestGate::say_until_stuck(Direction direction, const std::function<std::size_t()>& say) {
    auto const passed = [this, direction] {
        Totals totals;
        totals.add(worker().counters());
        return totals.relayed_bytes[direction];
    };
    for (auto said = passed(); passed() == said;) {
        said += say();
        auto const enough = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
        while (passed() < said && std::chrono::steady_clock::now() < enough)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

void TestGate::pass(std::chrono::seconds time) {
    auto& loop = worker().loop();
    loop.post([&loop, time] { loop.deadlines().pass(time); });
}

bool TestGate::ends_in_time(SessionEnd why) {
    return eventually([&] {
        pass(std::chrono::seconds(61));
        Totals totals;
        totals.add(worker().counters());
        return totals.session_ends[why] == 1;
    });
}

void TestGate::drain(std::chrono::milliseconds grace) {
    for (auto const& worker : workers_) worker->drain(grace);
}

std::vector<std::string> TestGate::join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    workers_.clear();
    std::vector<std::string> lines;
    std::istringstream log(::testing::internal::GetCapturedStderr());
    for (std::string line; std::getline(log, line);) lines.push_back(line);
    return lines;
}

Fd TestGate::dial(std::string_view door, unsigned worker, std::string_view from) const {
    auto const kind = std::find_if(door_kinds.begin(), door_kinds.end(),
                                   [&](auto const& known) { return known.name == door; });
    auto const index = static_cast<std::size_t>(kind - door_kinds.begin());
    auto const address = to_socket_address(doors_.at(worker).at(index));
    Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!from.empty()) {
        auto const own = to_socket_address({*config::Address::parse(from), 0});
        EXPECT_EQ(::bind(fd.get(), own.get(), own.size), 0);
    }
    if (::connect(fd.get(), address.get(), address.size) != 0) return {};
    set_no_delay(fd.get());
    limit_waiting(fd);
    return fd;
}

Client TestGate::connect(std::string_view door, unsigned worker) const {
    auto fd = dial(door, worker);
    if (door == "starttls") {
        Client clear(std::move(fd), false);
        clear.say(
            "<stream:stream xmlns='jabber:client' to='example.org' version='1.0' "
            "xmlns:stream='http://etherx.jabber.org/streams'>");
        EXPECT_NE(clear.hear_until("</stream:features>"), "");
        clear.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        EXPECT_NE(clear.hear_until("/>"), "");
        fd = std::move(clear.fd());
    }
    Client client(std::move(fd), !door.ends_with("none"));
    EXPECT_TRUE(client.handshake());
    return client;
}

Client TestGate::connect_from(std::string_view address, std::string_view door) const {
    Client client(dial(door, 0, address), !door.ends_with("none"));
    EXPECT_TRUE(client.handshake());
    return client;
}

std::vector<std::string> events(const std::vector<std::string>& log, std::string_view name) {
    std::vector<std::string> found;
    for (auto const& line : log)
        if (line.find("event=" + std::string(name) + ' ') != std::string::npos)
            found.push_back(line);
    return found;
}

}  // namespace stanzagate::proxy::testing
