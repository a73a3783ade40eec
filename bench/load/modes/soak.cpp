// The clients of a soak: sessions that are held, speak and are answered for as long as is wanted,
// some of which end and are replaced, beside storms of registrations. It does what the lines on
// standard input say, and prints a line of JSON when each is done:
//
//   raise N      hold N sessions (at most what --sessions says)      {"phase": "raised", ...}
//   storm N      so many connections that come to register           {"phase": "storm", ...}
//   run          everything at once, until told otherwise            {"phase": "run"}
//   pause        nothing under way, all sessions idle                {"phase": "paused", ...}
//   outage       what the second host has may end, and what begins may be refused
//                                                                  {"phase": "outage"}
//   over         from now on no more                                {"phase": "over"}
//   finish       all sessions end, and say what they have heard      {"phase": "finished", ...}
//   quit         done
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <deque>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/soak/orders.hpp"
#include "bench/load/soak/session.hpp"
#include "bench/load/soak/storm.hpp"

namespace stanzagate::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds tick_time{10};
constexpr std::size_t setting_up_at_once = 32;
constexpr std::uint64_t most_unanswered = 32;
constexpr std::size_t finishing_in_a_tick = 20;
constexpr std::uint64_t most_failures_told = 50;
constexpr std::uint64_t bulk_in_a_spell = 60;  // stanzas: more than the buffers on the way hold

// So many times a second, in ticks of whatever length.
class Pace {
public:
    explicit Pace(std::uint64_t in_a_second) : in_a_second_(static_cast<double>(in_a_second)) {}
    std::uint64_t due(Clock::duration passed) {
        due_ += std::min(std::chrono::duration<double>(passed).count(), 1.0) * in_a_second_;
        auto const whole = static_cast<std::uint64_t>(due_);
        due_ -= static_cast<double>(whole);
        return whole;
    }

private:
    double in_a_second_;
    double due_ = 0;
};

class Soak final : public Mode, public SoakSessionOwner {
public:
    explicit Soak(Run& run)
        : run_(run),
          plan_(plan_sessions(run.options)),
          sessions_(plan_.size()),
          spells_(plan_.size()),
          chance_(run.options.soak.seed),
          storm_(run, [this](const std::string& why) { fail(why); }),
          saying_(run.options.rate),
          churning_(run.options.soak.churn) {}

    void work() override {
        Orders const orders(run_.loop, [this](const std::string& line) { obey(line); });
        Ticker const ticker(run_.loop, tick_time, [this] { tick(Clock::now()); });
        run_.loop.run([this] {
            gone_.clear();  // nobody has an event for them any more
            return quit_;
        });
    }

    void report(Report& into) override {
        into.add("held", std::uint64_t{open_});
        into.add("established", established_);
        into.add("stanzas_said", said_.stanzas + living(&SoakSession::said).stanzas);
        into.add("stanzas_heard", heard_.stanzas + living(&SoakSession::heard).stanzas);
        into.add("bytes_said", said_.bytes + living(&SoakSession::said).bytes);
        into.add("bytes_heard", heard_.bytes + living(&SoakSession::heard).bytes);
        for (auto const& [door, count] : by_door_) into.add("over_" + door, count);
        into.add("clean", ends_[SoakEnd::clean]);
        into.add("cut", ends_[SoakEnd::cut]);
        into.add("cut_in_the_middle", cut_in_the_middle_);
        into.add("closed_by_server", ends_[SoakEnd::closed_by_server]);
        into.add("reset_by_server", ends_[SoakEnd::reset_by_server]);
        into.add("lost_in_outage", lost_in_outage_);
        into.add("refused_in_outage", refused_in_outage_);
        into.add("second_clean", second_clean_);
        into.add("under_way_up", under_way_up_);
        into.add("under_way_down", under_way_down_);
        into.add("spells", spells_begun_);
        into.add("failures", failures_);
        storm_.report(into);
    }

private:
    enum class Wish : std::uint8_t { nothing, raise, storm, pause, finish };
    struct Spell {
        bool reads = true;
        Clock::time_point until;
    };

    void obey(const std::string& line) {
        auto const space = line.find(' ');
        auto const word = line.substr(0, space);
        auto const number = space == std::string::npos ? 0 : std::stoull(line.substr(space));
        if (word == "raise") {
            wish_ = Wish::raise;
            wanted_ = std::min<std::uint64_t>(number, plan_.size());
            for (std::size_t place = 0; place < wanted_; ++place)
                if (!sessions_[place]) due_.emplace_back(Clock::time_point{}, place);
        } else if (word == "storm") {
            wish_ = Wish::storm;
            storm_.burst(number);
        } else if (word == "run") {
            running_ = true;
            last_tick_ = next_storm_ = Clock::now();
            say_phase("run");
        } else if (word == "pause") {
            wish_ = Wish::pause;
            running_ = false;
        } else if (word == "outage") {
            last_doomed_ = last_number_;
            outage_ = true;
            say_phase(word);
        } else if (word == "over") {
            last_refused_ = last_number_;
            outage_ = false;
            say_phase(word);
        } else if (word == "finish") {
            wish_ = Wish::finish;
            running_ = false;
            wanted_ = 0;
            due_.clear();
        } else if (word == "quit") {
            quit_ = true;
        } else {
            throw std::runtime_error("no order: " + line);
        }
    }

    void say_phase(const std::string& phase) {
        Report phase_report(phase);
        report(phase_report);
        phase_report.print();
    }

    void tick(Clock::time_point now) {
        storm_.sweep(now);
        start_sessions(now);
        if (running_) run(now);
        if (wish_ == Wish::finish) finish_some();
        if (!running_ && wish_ == Wish::pause) end_spells();
        if (wish_ != Wish::nothing && is_done()) {
            constexpr std::array<const char*, 5> names{"", "raised", "storm", "paused", "finished"};
            say_phase(names[static_cast<std::size_t>(std::exchange(wish_, Wish::nothing))]);
        }
        if (now - last_look_ > seconds(1)) look_for_the_late(now);
    }

    bool is_done() const {
        switch (wish_) {
            case Wish::nothing:
                return false;
            case Wish::raise:
                return open_ == wanted_;
            case Wish::storm:
                return storm_.over();
            case Wish::pause:
                return storm_.over() && open_ == wanted_ &&
                       std::all_of(sessions_.begin(), sessions_.end(), [](auto const& session) {
                           return !session || (session->is_open() && session->unanswered() == 0);
                       });
            case Wish::finish:
                return storm_.over() &&
                       std::none_of(sessions_.begin(), sessions_.end(),
                                    [](auto const& session) { return bool(session); });
        }
        return false;
    }

    void start_sessions(Clock::time_point now) {
        for (auto n = due_.size(); n > 0 && setting_up_ < setting_up_at_once; --n) {
            auto const [when, place] = due_.front();
            due_.pop_front();
            if (when > now) {
                due_.emplace_back(when, place);
                continue;
            }
            ++setting_up_;
            sessions_[place] =
                std::make_unique<SoakSession>(run_, plan_[place], ++last_number_, *this);
        }
    }

    void run(Clock::time_point now) {
        auto const passed = now - std::exchange(last_tick_, now);
        for (auto n = saying_.due(passed); n > 0; --n) {
            auto* const session = any();
            if (session && !session->plan().slow && session->unanswered() < most_unanswered)
                session->say();
        }
        for (auto n = churning_.due(passed); n > 0; --n)
            if (auto* const session = any_replaceable();
                session && due_.size() < setting_up_at_once)
                end(*session);
        // On a machine that is busy with other things, the next one waits.
        if (now >= next_storm_ && storm_.over()) {
            next_storm_ = now + seconds(run_.options.soak.storm_every);
            storm_.burst(run_.options.soak.storm);
        }
        for (std::size_t place = 0; place < plan_.size(); ++place)
            if (plan_[place].slow && now >= spells_[place].until) change_spell(place, now);
    }

    SoakSession* any() {
        auto* const session = sessions_[chance_() % sessions_.size()].get();
        return session && session->is_open() ? session : nullptr;
    }

    SoakSession* any_replaceable() {
        for (int tries = 0; tries < 20; ++tries)
            if (auto* const session = any();
                session && !session->plan().steady && !session->plan().second)
                return session;
        return nullptr;
    }

    // Half of them as it should be. The server may end those alone whose stream it is that it ends.
    void end(SoakSession& session) {
        auto const& door = session.plan().target.door;
        auto const chance = chance_() % 8;
        bool const is_web = door == "websocket" || door == "bosh";
        if (chance < 4 || door == "bosh" || (is_web && chance >= 6)) return session.leave("end");
        if (chance < 6) return session.cut();
        if (chance == 7 && session.unanswered() == 0) return session.leave("reset");
        session.leave("fin");
    }

    // A session reads nothing, while it says more than the buffers hold; and then it reads.
    void change_spell(std::size_t place, Clock::time_point now) {
        auto& spell = spells_[place];
        auto const longest = run_.options.soak.spell * 1000;
        spell.until = now + milliseconds(longest / 3 + chance_() % (longest * 2 / 3 + 1));
        auto* const session = sessions_[place].get();
        if (!session || !session->is_open() || (spell.reads && session->unanswered() > 0)) return;
        spell.reads = !spell.reads;
        session->read(spell.reads);
        if (spell.reads) return;
        ++spells_begun_;
        for (auto n = bulk_in_a_spell; n > 0; --n) session->say();
    }

    void end_spells() {
        for (std::size_t place = 0; place < plan_.size(); ++place)
            if (!std::exchange(spells_[place].reads, true) && sessions_[place])
                sessions_[place]->read(true);
    }

    void finish_some() {
        end_spells();
        auto left = finishing_in_a_tick;
        for (auto const& session : sessions_)
            if (session && session->is_open() && left-- > 0) session->leave("end");
    }

    void look_for_the_late(Clock::time_point now) {
        last_look_ = now;
        std::vector<SoakSession*> late;
        auto const patience = seconds(run_.options.soak.patience);
        for (std::size_t place = 0; place < sessions_.size(); ++place)
            if (auto* const session = sessions_[place].get();
                session && spells_[place].reads && session->waits(now) > patience)
                late.push_back(session);
        for (auto* const session : late) {
            fail(session->name() + ": no answer within " +
                 std::to_string(run_.options.soak.patience) + " s; " +
                 std::to_string(session->unanswered()) + " stanzas are not answered");
            session->cut();
        }
    }

    void on_established(SoakSession& session) override {
        ++established_;
        ++open_;
        --setting_up_;
        ++by_door_[session.plan().target.door];
    }

    void on_over(SoakSession& session, SoakEnd end, const std::string& why) override {
        if (session.was_established())
            --open_;
        else
            --setting_up_;
        auto const now = Clock::now();
        auto next = now;
        if (end == SoakEnd::lost && may_be_lost(session)) {
            next += milliseconds(300 + chance_() % 1000);
            if (why.find("internal-server-error") != why.npos)
                ++refused_in_outage_;
            else
                ++lost_in_outage_;
        } else if (end == SoakEnd::lost) {
            fail(session.name() + ": " + why);
        } else if (end == SoakEnd::clean && session.plan().second) {
            ++second_clean_;
        } else {
            ++ends_[end];
        }
        if (end == SoakEnd::cut && session.unanswered() > 0) ++cut_in_the_middle_;
        if (end == SoakEnd::lost || end == SoakEnd::cut) {
            under_way_up_ += session.under_way(Voice::End::client);
            under_way_down_ += session.under_way(Voice::End::server);
        }
        said_.stanzas += session.said().stanzas;
        said_.bytes += session.said().bytes;
        heard_.stanzas += session.heard().stanzas;
        heard_.bytes += session.heard().bytes;
        auto const place = static_cast<std::size_t>(&session.plan() - plan_.data());
        gone_.push_back(std::move(sessions_[place]));
        if (place < wanted_) due_.emplace_back(next, place);
    }

    // Its server closed all that there was, and for a while nobody came in.
    bool may_be_lost(const SoakSession& session) const {
        if (!session.plan().second) return false;
        if (session.number() <= last_doomed_) return true;
        return !session.was_established() && (outage_ || session.number() <= last_refused_);
    }

    void fail(const std::string& why) {
        if (++failures_ > most_failures_told) return;
        std::fprintf(stderr, "FAILURE %s\n", why.c_str());
    }

    Tally living(const Tally& (SoakSession::*which)() const) const {
        Tally sum;
        for (auto const& session : sessions_) {
            if (!session) continue;
            auto const& one = (*session.*which)();
            sum.stanzas += one.stanzas;
            sum.bytes += one.bytes;
        }
        return sum;
    }

    Run& run_;
    std::vector<PlannedSession> plan_;
    std::vector<std::unique_ptr<SoakSession>> sessions_;  // by their places in the plan
    std::vector<Spell> spells_;                           // the same
    std::vector<std::unique_ptr<SoakSession>> gone_;
    std::deque<std::pair<Clock::time_point, std::size_t>> due_;  // places that wait for a session
    std::mt19937_64 chance_;
    Storm storm_;
    Pace saying_;
    Pace churning_;
    Wish wish_ = Wish::nothing;
    std::size_t wanted_ = 0;
    std::size_t open_ = 0;
    std::size_t setting_up_ = 0;
    bool running_ = false;
    bool outage_ = false;
    std::uint64_t last_doomed_ = 0;   // session that was there when the latest outage began
    std::uint64_t last_refused_ = 0;  // session that was begun before it was over
    bool quit_ = false;
    std::uint64_t last_number_ = 0;
    Clock::time_point last_tick_;
    Clock::time_point last_look_;
    Clock::time_point next_storm_;
    Tally said_;   // by those that are gone
    Tally heard_;  // the same
    std::map<std::string, std::uint64_t> by_door_;
    std::map<SoakEnd, std::uint64_t> ends_;
    std::uint64_t established_ = 0;
    std::uint64_t lost_in_outage_ = 0;
    std::uint64_t refused_in_outage_ = 0;
    std::uint64_t second_clean_ = 0;
    std::uint64_t cut_in_the_middle_ = 0;  // while an answer was under way
    std::uint64_t under_way_up_ = 0;
    std::uint64_t under_way_down_ = 0;
    std::uint64_t spells_begun_ = 0;
    std::uint64_t failures_ = 0;
};

}  // namespace

std::unique_ptr<Mode> make_soak(Run& run) {
    return std::make_unique<Soak>(run);
}

}  // namespace stanzagate::load
