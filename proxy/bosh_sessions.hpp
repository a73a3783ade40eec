#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "filters/bosh_body.hpp"
#include "proxy/http_exchange.hpp"
#include "proxy/http_response.hpp"

namespace stanzagate::proxy {

class BoshCarrier;
class Worker;

// Which worker has which BOSH session: a request may come to any of them. Shared by all, locked.
class BoshDirectory {
public:
    struct Entry {
        Worker* owner = nullptr;
        bool authenticated = false;  // then its requests may be long
        bool secure = false;         // it was opened through TLS, and is closed to all else
    };

    void add(const std::string& sid, Worker& owner);
    void authenticated(std::string_view sid);
    void secure(std::string_view sid);
    void remove(std::string_view sid);
    std::optional<Entry> find(std::string_view sid) const;
    bool empty() const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, Entry, std::less<>> sessions_;
};

// The BOSH sessions of one worker. All calls on that worker's thread.
class BoshSessions {
public:
    BoshSessions(Worker& worker, BoshDirectory& directory)
        : worker_(worker), directory_(directory) {}
    BoshSessions(const BoshSessions&) = delete;
    BoshSessions& operator=(const BoshSessions&) = delete;

    // Hands a request to the session it names, on whatever worker that is; item-not-found
    // (XEP-0124 section 17.2) where there is none.
    void pass_on(const HttpExchange& exchange, std::string_view sid, std::string body);
    // The connection is lost on which a request of that session came.
    void gone(const HttpExchange& exchange, const std::string& sid);

    // One of this worker's, or nullptr.
    BoshCarrier* find(std::string_view sid) const;

    // For a session's carrier.
    void add(const std::string& sid, BoshCarrier& carrier);
    void authenticated(const std::string& sid) { directory_.authenticated(sid); }
    void remove(const std::string& sid);
    void respond(const HttpExchange& exchange, HttpResponse response) const;

private:
    void receive(const HttpExchange& exchange, const std::string& sid, std::string_view body);
    void lose(const HttpExchange& exchange, const std::string& sid);

    Worker& worker_;
    BoshDirectory& directory_;
    std::map<std::string, BoshCarrier*, std::less<>> mine_;
};

// A request's <body/>, whose stanzas are judged where they are decided, not here.
std::optional<filters::BoshBody> read_request(std::string_view body);

// The response to a request that has no session.
HttpResponse bosh_error(std::string_view condition);

}  // namespace stanzagate::proxy
