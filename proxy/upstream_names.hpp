#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/event_loop.hpp"
#include "proxy/log.hpp"
#include "proxy/name_resolver.hpp"

namespace stanzagate::proxy {

// Which addresses the names of upstreams have, as far as a worker knows. A name is looked up when
// it is first needed, and again when what is known of it has become old; who asks waits for that.
// But where it fails, or takes longer than one's patience, the addresses that were known before go
// on to be used: a name server that is away ends no session. However many ask, one look-up of a
// name is under way at a time.
class UpstreamNames {
public:
    using Clock = std::chrono::steady_clock;
    using Done = NameResolver::Done;
    using LookUp =
        std::function<void(const std::string& host, std::uint16_t port, NameResolver::Done done)>;
    struct Times {
        std::chrono::milliseconds fresh{30'000};    // what was looked up is not asked for again
        std::chrono::milliseconds patience{1'000};  // of who could have the addresses known before
        std::chrono::milliseconds retry{5'000};     // after a look-up that failed
    };

    // Answers come on `loop`, which ends after whoever looks up; `look_up` calls back from any
    // thread, and never from within.
    UpstreamNames(EventLoop& loop, LookUp look_up, const Log& log)
        : UpstreamNames(loop, std::move(look_up), log, Times()) {}
    UpstreamNames(EventLoop& loop, LookUp look_up, const Log& log, Times times)
        : loop_(loop), look_up_(std::move(look_up)), log_(log), times_(times) {}
    UpstreamNames(const UpstreamNames&) = delete;
    UpstreamNames& operator=(const UpstreamNames&) = delete;

    // Calls back at once for an address literal and for a name whose addresses need not be waited
    // for, else on the loop. No addresses: `error` says why.
    void resolve(const config::UpstreamAddress& address, Done done);

private:
    struct Name {
        explicit Name(Deadlines& deadlines)
            : patience(deadlines, [](void* self) { static_cast<Name*>(self)->on_late(); }, this) {}
        void on_late();
        void tell(std::string_view error);

        std::vector<config::Endpoint> endpoints;  // the last that were found
        Clock::time_point until{};                // then they have become old
        bool asked = false;                       // a look-up is under way,
        bool late = false;                        // and has been for longer than one's patience
        bool failing = false;                     // the last one has failed
        std::deque<Done> waiting;
        Deadline patience;
    };
    using Key = std::pair<std::string, std::uint16_t>;

    void ask(const Key& key, Name& name);
    void on_answer(const Key& key, Name& name, const std::vector<config::Endpoint>& endpoints,
                   std::string_view error);
    // Tells the log when look-ups begin to fail, and when they no longer do.
    void note(const Key& key, Name& name, bool failed, std::string_view error);

    EventLoop& loop_;
    LookUp look_up_;
    const Log& log_;
    Times times_;
    std::map<Key, Name> names_;  // which stay where they are
};

}  // namespace stanzagate::proxy
