#include "proxy/name_resolver.hpp"

#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "proxy/error_text.hpp"
#include "proxy/socket_address.hpp"

namespace stanzagate::proxy {
namespace {

struct Found {
    std::vector<config::Endpoint> endpoints;
    std::string error;
};

Found look_up(const std::string& host, std::uint16_t port) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;  // or each address comes once for each kind of socket
    addrinfo* list = nullptr;
    int const error = ::getaddrinfo(host.c_str(), nullptr, &wanted, &list);
    if (error != 0) return {{}, error == EAI_SYSTEM ? error_text(errno) : ::gai_strerror(error)};
    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> const owner(list, ::freeaddrinfo);

    Found found;
    for (auto const* one = list; one != nullptr; one = one->ai_next) {
        SocketAddress address;
        std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
        found.endpoints.push_back({to_endpoint(address).address, port});
    }
    return found;
}

}  // namespace

struct NameResolver::Queue {
    struct Question {
        std::string host;
        std::uint16_t port = 0;
        Done done;
    };

    explicit Queue(boost::asio::io_context& loop) : background(&loop) {}

    // A thread's whole life: it answers questions until there are none.
    void work();
    // Nothing: this thread is not needed any more.
    std::optional<Question> next();
    void answer(Done done, Found found);
    void fail_last(std::string why);

    std::mutex mutex;                     // guards all that follows
    boost::asio::io_context* background;  // nullptr: nobody is to be answered any more
    std::deque<Question> questions;
    unsigned threads = 0;
};

void NameResolver::Queue::work() {
    ::pthread_setname_np(::pthread_self(), "names");
    while (auto question = next())
        answer(std::move(question->done), look_up(question->host, question->port));
}

std::optional<NameResolver::Queue::Question> NameResolver::Queue::next() {
    std::lock_guard const lock(mutex);
    if (questions.empty()) {
        --threads;
        return std::nullopt;
    }
    auto question = std::move(questions.front());
    questions.pop_front();
    return question;
}

void NameResolver::Queue::answer(Done done, Found found) {
    std::lock_guard const lock(mutex);
    if (!background) return;
    boost::asio::post(*background, [done = std::move(done), found = std::move(found)] {
        done(found.endpoints, found.error);
    });
}

// With the mutex held.
void NameResolver::Queue::fail_last(std::string why) {
    boost::asio::post(*background, [done = std::move(questions.back().done), why = std::move(why)] {
        done({}, why);
    });
    questions.pop_back();
}

NameResolver::NameResolver(boost::asio::io_context& background)
    : queue_(std::make_shared<Queue>(background)) {}

NameResolver::~NameResolver() {
    std::lock_guard const lock(queue_->mutex);
    queue_->background = nullptr;
    queue_->questions.clear();
}

void NameResolver::resolve(const std::string& host, std::uint16_t port, Done done) {
    std::lock_guard const lock(queue_->mutex);
    queue_->questions.push_back({host, port, std::move(done)});
    if (queue_->threads == most_threads) return;
    try {
        std::thread([queue = queue_] { queue->work(); }).detach();
        ++queue_->threads;
    } catch (const std::system_error& error) {
        if (queue_->threads > 0) return;  // those there are will come to it
        queue_->fail_last(error.what());
    }
}

}  // namespace stanzagate::proxy
