#include "bench/load/soak/storm.hpp"

#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "bench/load/soak/plan.hpp"

namespace stanzagate::load {
namespace {

constexpr std::string_view nonsense = "<message><body></message>";
constexpr std::string_view no_tls = "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n";
// Whatever the rules are, they say this.
constexpr std::string_view redirected = "https://example.org/register";

}  // namespace

class Storm::Visitor final : public ClientOwner {
public:
    Visitor(Storm& storm, Kind kind, Target target)
        : storm_(storm),
          kind_(kind),
          target_(std::move(target)),
          client_(
              std::make_unique<Client>(storm.run_.loop, target_, storm.run_.tls, nullptr, *this)) {}

    bool gone() const { return gone_; }
    Clock::duration stays(Clock::time_point now) const { return now - began_; }
    std::string name() const {
        constexpr std::array<const char*, 4> names{"who asks to register", "one of a crowd",
                                                   "who talks nonsense", "who talks no TLS"};
        return names[static_cast<std::size_t>(kind_)] + (" (" + target_.door) + ')';
    }

private:
    void on_open(Client& client) override {
        in_ = true;
        if (kind_ == Kind::talks_no_tls) return client.send(no_tls);
        auto const header = client.door().header(client.host());
        client.play(kind_ == Kind::talks_nonsense ? greeting(header) : registration(header));
    }

    void on_answer(Client& /*client*/, std::string_view answer) override {
        if (++answers_ == 1) return;  // the features
        auto const type = answers_ == 2 ? " type='result'" : " type='error'";
        if (answer.find(type) == std::string_view::npos ||
            answer.find(redirected) == std::string_view::npos)
            throw std::runtime_error("the wrong answer: " + std::string(answer));
    }

    void on_played(Client& client) override {
        if (kind_ == Kind::talks_nonsense) return client.send(nonsense);
        ++storm_.asked_;
        client.close();
    }

    void on_received(Client& /*client*/, std::string_view xmpp) override { said_ += xmpp; }
    void on_closed(Client& /*client*/) override { leave(); }

    void on_failed(Client& /*client*/, const std::string& why) override {
        if (kind_ == Kind::in_a_crowd && !in_)
            ++storm_.turned_away_;
        else if (kind_ == Kind::talks_nonsense && said_.find("<not-well-formed") != said_.npos)
            ++storm_.nonsense_;
        else if (kind_ == Kind::talks_no_tls && in_)
            ++storm_.no_tls_;
        else
            storm_.failed_(name() + ": " + why + (said_.empty() ? "" : "; it heard " + said_));
        leave();
    }

    void leave() {
        gone_ = true;
        --storm_.here_;
    }

    Storm& storm_;
    Kind kind_;
    Target target_;
    Clock::time_point began_ = Clock::now();
    bool in_ = false;
    bool gone_ = false;
    int answers_ = 0;
    std::string said_;
    std::unique_ptr<Client> client_;
};

Storm::Storm(Run& run, Failed failed) : run_(run), failed_(std::move(failed)) {}

Storm::~Storm() = default;

// A third of them is the crowd.
void Storm::burst(std::uint64_t connections) {
    auto const crowd = connections / 3;
    auto const crowded = loopback(7, 0, static_cast<unsigned>(++crowds_ % 200 + 1));
    for (std::uint64_t n = 0; n < connections; ++n) {
        if (n < crowd) {
            add(Kind::in_a_crowd, crowded);
            continue;
        }
        auto const from = loopback(8 + static_cast<unsigned>(come_ / 50'000 % 8),
                                   static_cast<unsigned>(come_ / 200 % 250),
                                   static_cast<unsigned>(come_ % 200 + 1));
        auto const turn = n % 10;
        add(turn == 0 ? Kind::talks_nonsense : turn == 5 ? Kind::talks_no_tls : Kind::asks, from);
    }
}

void Storm::add(Kind kind, in_addr_t from) {
    auto const& options = run_.options;
    Target target{parse_address(options.connect), options.host, "direct", from};
    if (kind == Kind::talks_no_tls) {
        target.door = "plain";
    } else if (come_ % 2 == 0) {
        target.door = "starttls";
        target.address = parse_address(options.soak.starttls);
    }
    ++come_;
    ++here_;
    visitors_.push_back(std::make_unique<Visitor>(*this, kind, std::move(target)));
}

void Storm::sweep(Clock::time_point now) {
    std::erase_if(visitors_, [](auto const& visitor) { return visitor->gone(); });
    for (auto const& visitor : visitors_)
        if (visitor->stays(now) > std::chrono::seconds(run_.options.soak.patience))
            throw std::runtime_error(visitor->name() + " waits for too long");
}

void Storm::report(Report& into) const {
    into.add("storm_connections", come_);
    into.add("registrations", 2 * asked_);
    into.add("asked", asked_);
    into.add("turned_away", turned_away_);
    into.add("nonsense", nonsense_);
    into.add("no_tls", no_tls_);
}

}  // namespace stanzagate::load
