#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "config/address.hpp"
#include "proxy/dns_channels.hpp"
#include "proxy/listing_cache.hpp"
#include "proxy/log.hpp"

namespace stanzagate::proxy {

struct DnsListSettings {
    using Clock = ListingCache::Clock;

    // An answer that has not come by then counts as "not listed".
    std::chrono::milliseconds limit{2000};
    DnsServers servers{};
    // Names in the cache, of about 200 bytes each; the one not used for longest makes room.
    std::size_t most_known = 65'536;
    // Names asked for at a time. More than that fail at once.
    std::size_t most_in_flight = 1'024;
    // The cache's time, and the log's. Sockets and the limit keep the real one.
    std::function<Clock::time_point()> now = Clock::now;
};

// Asks DNS lists whether they list an address (RFC 5782), for all sessions of a worker, and keeps
// what they answer. Never blocks. A list that gives no sensible answer does not list anybody: that
// is logged as `dns_list_failed` and counted.
//   known(); where that is nullopt, ask(), and known() again when called back
// An answer is kept as long as its records say, but an hour at most; "not listed" for five minutes;
// a failure for half a minute. All are kept for a second longer than `limit` at least, so that
// whoever waits for several lists finds all of them known in the end.
// One per worker, on whose thread everything happens. May go before the Queries it gave out, which
// are then not called back.
class DnsLists {
public:
    using Clock = ListingCache::Clock;
    using Handler = std::function<void()>;

    static constexpr std::chrono::seconds longest_kept{3600};
    static constexpr std::chrono::seconds not_listed_kept{300};
    static constexpr std::chrono::seconds failure_kept{30};

    // Somebody waits: until called back, or until this is destroyed.
    class Query {
    public:
        Query() = default;
        Query(Query&&) = default;
        Query& operator=(Query&&) = default;

    private:
        friend class DnsLists;
        struct Waiting;
        explicit Query(std::shared_ptr<Waiting> waiting) : waiting_(std::move(waiting)) {}

        std::shared_ptr<Waiting> waiting_;
    };

    // Throws std::runtime_error where the servers make no sense.
    DnsLists(boost::asio::io_context& io, const Log& log, DnsListSettings settings = {});
    ~DnsLists();
    DnsLists(const DnsLists&) = delete;
    DnsLists& operator=(const DnsLists&) = delete;

    // Is the address listed in the zone, as far as is known without asking?
    std::optional<bool> known(std::string_view zone, const config::Address& address);

    // Calls back once, never from within, as soon as known() answers for each of the zones: when
    // all lists have answered, or when the time is up.
    [[nodiscard]] Query ask(std::span<const std::string> zones, const config::Address& address,
                            Handler handler);

    // How many questions had no sensible answer.
    std::uint64_t failures() const { return failures_; }
    // How many names are being asked for, those included that nobody waits for any more.
    std::size_t in_flight() const { return in_flight_; }

private:
    struct Question;
    using Questions = std::list<Question*>;
    // What was said of a zone in the log.
    struct Said {
        std::uint64_t unsaid = 0;
        std::optional<Clock::time_point> last;
        bool wrong_answer = false;
    };

    void join(const std::string& zone, const std::string& name,
              const std::shared_ptr<Query::Waiting>& waiting);
    void on_answer(Question& question, int status, std::span<const unsigned char> reply);
    void keep(const std::string& name, bool listed, std::chrono::seconds time);
    void fail(const std::string& zone, const std::string& name, std::string_view reason);
    void note_wrong_answer(const std::string& zone, const std::string& answer);
    void finish(Question& question);
    void arrived(const std::shared_ptr<Query::Waiting>& waiting);
    void wait_for_tick();
    void tick();

    boost::asio::io_context& io_;
    const Log& log_;
    DnsListSettings settings_;
    ListingCache cache_;
    Questions waited_for_;  // the oldest first; c-ares owns them
    std::unordered_map<std::string, Questions::iterator> by_name_;
    std::map<std::string, Said, std::less<>> said_;  // by zone: as many as are configured
    std::size_t in_flight_ = 0;
    std::uint64_t failures_ = 0;
    bool ticking_ = false;
    boost::asio::steady_timer timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for a tick that comes too late
    std::optional<DnsChannels> channels_;
};

// The name that says whether the address is in the zone (RFC 5782 sections 2.1 and 2.4):
// "99.2.0.192.bad.example.com".
std::string dns_list_name(std::string_view zone, const config::Address& address);

}  // namespace stanzagate::proxy
