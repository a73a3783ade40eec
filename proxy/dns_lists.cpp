#include "proxy/dns_lists.hpp"

#include <ares.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <iterator>
#include <memory>
#include <vector>

namespace stanzagate::proxy {
namespace {

using std::chrono::seconds;

// In one reply. Lists give a handful at most.
constexpr std::size_t most_records = 64;

using V4 = config::Address::V4;

// What the A records of a reply mean together.
struct Answer {
    bool listed = false;
    std::optional<V4> wrong;  // one that no list gives
    seconds time{0};
};

// RFC 5782 section 2.1: what is listed has an address in 127.0.0.0/8. Some of it says "you may not
// ask", "you ask too often", and the like, and taken for a listing would list everybody: the end of
// it (127.255.255.252 to .255 at Spamhaus), 127.0.0.1 (SURBL and URIBL, and resolvers that block
// the list's name), 127.0.0.255 (dnswl.org). Addresses outside are those of a list that is gone,
// and its name somebody else's.
bool is_listing(const V4& address) {
    if (address == V4{127, 0, 0, 1} || address == V4{127, 0, 0, 255}) return false;
    return address[0] == 127 && !(address[1] == 255 && address[2] == 255);
}

Answer answer_of(std::span<const ares_addrttl> records) {
    Answer answer;
    auto time = DnsLists::longest_kept;
    for (auto const& record : records) {
        V4 address{};
        std::copy_n(reinterpret_cast<const std::uint8_t*>(&record.ipaddr), 4, address.begin());
        if (is_listing(address))
            answer.listed = true;
        else
            answer.wrong = address;
        time = std::min(time, seconds(std::max(0, record.ttl)));
    }
    answer.time = time;
    return answer;
}

std::string_view reason_of(int status) {
    switch (status) {
        case ARES_ETIMEOUT:
            return "timeout";
        case ARES_ECONNREFUSED:  // also after SERVFAIL and REFUSED from all servers
            return "no DNS server gave an answer: they failed, refused, or cannot be reached";
        case ARES_EBADNAME:
            return "the zone is not a domain name";
        default:
            return ares_strerror(status);
    }
}

}  // namespace

struct DnsLists::Query::Waiting {
    Handler handler;
    std::size_t missing = 0;
};

// One name that is asked for. Lives until c-ares calls back.
struct DnsLists::Question {
    DnsLists* owner;
    std::string zone;
    std::string name;
    std::chrono::steady_clock::time_point sent;
    std::vector<std::weak_ptr<Query::Waiting>> waiting;
    bool waited_for = true;  // false once its time was up
};

DnsLists::DnsLists(boost::asio::io_context& io, const Log& log, DnsListSettings settings)
    : io_(io), log_(log), settings_(std::move(settings)), cache_(settings_.most_known), timer_(io) {
    channels_.emplace(io, log, settings_.limit, settings_.servers);
}

DnsLists::~DnsLists() {
    channels_.reset();  // calls back for every question, while there is still a *this
}

std::optional<bool> DnsLists::known(std::string_view zone, const config::Address& address) {
    return cache_.find(dns_list_name(zone, address), settings_.now());
}

DnsLists::Query DnsLists::ask(std::span<const std::string> zones, const config::Address& address,
                              Handler handler) {
    auto waiting = std::make_shared<Query::Waiting>();
    waiting->handler = std::move(handler);
    waiting->missing = 1;  // this function, until all are asked
    for (auto const& zone : zones) {
        auto const name = dns_list_name(zone, address);
        if (!cache_.find(name, settings_.now())) join(zone, name, waiting);
    }
    arrived(waiting);
    return Query(std::move(waiting));
}

void DnsLists::join(const std::string& zone, const std::string& name,
                    const std::shared_ptr<Query::Waiting>& waiting) {
    if (auto const found = by_name_.find(name); found != by_name_.end()) {
        ++waiting->missing;
        (*found->second)->waiting.push_back(waiting);
        return;
    }
    if (in_flight_ >= settings_.most_in_flight)
        return fail(zone, name, "too many questions at a time");

    ++waiting->missing;
    ++in_flight_;
    auto question = std::make_unique<Question>(
        Question{this, zone, name, std::chrono::steady_clock::now(), {waiting}});
    by_name_.emplace(name, waited_for_.insert(waited_for_.end(), question.get()));
    channels_->current().query(
        name,
        [](void* context, int status, int /*timeouts*/, unsigned char* reply, int size) {
            std::unique_ptr<Question> const answered(static_cast<Question*>(context));
            std::span<const unsigned char> bytes;
            if (reply != nullptr) bytes = {reply, static_cast<std::size_t>(size)};
            answered->owner->on_answer(*answered, status, bytes);
        },
        question.release());
    wait_for_tick();
}

void DnsLists::on_answer(Question& question, int status, std::span<const unsigned char> reply) {
    --in_flight_;
    if (status == ARES_EDESTRUCTION) return;
    std::array<ares_addrttl, most_records> records{};
    int count = most_records;
    if (status == ARES_SUCCESS)
        status = ares_parse_a_reply(reply.data(), static_cast<int>(reply.size()), nullptr,
                                    records.data(), &count);
    if (status == ARES_SUCCESS && count > 0) {
        auto const answer = answer_of(std::span(records).first(static_cast<std::size_t>(count)));
        bool const is_wrong = !answer.listed && answer.wrong;
        keep(question.name, answer.listed,
             is_wrong ? std::min(answer.time, not_listed_kept) : answer.time);
        if (is_wrong)
            note_wrong_answer(question.zone, config::Address::from(*answer.wrong).to_string());
    } else if (status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_SUCCESS) {
        keep(question.name, false, not_listed_kept);
    } else if (question.waited_for) {
        fail(question.zone, question.name, reason_of(status));
    }
    if (question.waited_for) finish(question);
}

void DnsLists::keep(const std::string& name, bool listed, seconds time) {
    auto const least = settings_.limit + seconds(1);
    auto const most = std::max<std::chrono::milliseconds>(longest_kept, least);
    cache_.put(name, listed,
               settings_.now() + std::clamp<std::chrono::milliseconds>(time, least, most));
}

void DnsLists::fail(const std::string& zone, const std::string& name, std::string_view reason) {
    keep(name, false, failure_kept);
    ++failures_;
    auto& said = said_[zone];
    ++said.unsaid;
    log_.debug("dns_list_no_answer", {{"name", name}, {"reason", reason}});
    auto const now = settings_.now();
    if (said.last && now - *said.last < std::chrono::minutes(1)) return;
    said.last = now;
    log_.warning("dns_list_failed",
                 {{"zone", zone}, {"reason", reason}, {"count", std::exchange(said.unsaid, 0)}});
}

void DnsLists::note_wrong_answer(const std::string& zone, const std::string& answer) {
    ++failures_;
    if (std::exchange(said_[zone].wrong_answer, true)) return;
    log_.warning("dns_list_failed",
                 {{"zone", zone},
                  {"reason", "the list answers " + answer +
                                 ", which is not a listing: is it still in service, and may this "
                                 "machine's DNS resolver ask it?"}});
}

void DnsLists::finish(Question& question) {
    question.waited_for = false;
    auto const found = by_name_.find(question.name);
    waited_for_.erase(found->second);
    by_name_.erase(found);
    for (auto const& weak : std::exchange(question.waiting, {}))
        if (auto const waiting = weak.lock()) arrived(waiting);
}

void DnsLists::arrived(const std::shared_ptr<Query::Waiting>& waiting) {
    if (--waiting->missing != 0) return;
    boost::asio::post(io_, [weak = std::weak_ptr(waiting)] {
        if (auto const ready = weak.lock()) std::exchange(ready->handler, {})();
    });
}

// While anything is in flight, at intervals that keep the limit to a twentieth.
void DnsLists::wait_for_tick() {
    if (in_flight_ == 0 || std::exchange(ticking_, true)) return;
    timer_.expires_after(std::max(settings_.limit / 20, std::chrono::milliseconds(1)));
    timer_.async_wait(
        [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
            if (!error && !alive.expired()) tick();
        });
}

void DnsLists::tick() {
    ticking_ = false;
    channels_->tick();
    auto const late = std::chrono::steady_clock::now() - settings_.limit;
    while (!waited_for_.empty() && waited_for_.front()->sent <= late) {
        auto& question = *waited_for_.front();
        fail(question.zone, question.name, "timeout");
        finish(question);
    }
    wait_for_tick();
}

std::string dns_list_name(std::string_view zone, const config::Address& address) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string name;
    auto const bytes = address.bytes();
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
        if (address.is_v4()) {
            name += std::to_string(*byte) + '.';
            continue;
        }
        name += {digits[*byte & 0x0FU], '.', digits[*byte >> 4U], '.'};
    }
    if (zone.ends_with('.')) zone.remove_suffix(1);
    // Of names that differ in case only, the cache needs one.
    std::transform(zone.begin(), zone.end(), std::back_inserter(name), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return name;
}

}  // namespace stanzagate::proxy
