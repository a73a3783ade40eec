#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bench/load/mode.hpp"
#include "bench/load/soak/plan.hpp"
#include "bench/load/soak/voice.hpp"

namespace stanzagate::load {

class SoakSession;

enum class SoakEnd : std::uint8_t {
    clean,             // both ends said how much they said and heard, then the client closed
    cut,               // by the client: RST
    closed_by_server,  // after both said that
    reset_by_server,
    lost,  // nobody asked for it
};

class SoakSessionOwner {
public:
    virtual void on_established(SoakSession& session) = 0;
    // It may be deleted, but not before the turn is over.
    virtual void on_over(SoakSession& session, SoakEnd end, const std::string& why) = 0;

protected:
    ~SoakSessionOwner() = default;
};

// One session of a soak, from connecting to its end. It speaks as it is told, and compares each
// byte that it hears with what the sink must say.
//   say()*, then leave() or cut()
class SoakSession final : public ClientOwner {
public:
    SoakSession(Run& run, const PlannedSession& plan, std::uint64_t number,
                SoakSessionOwner& owner);

    void say();  // a stanza; the sink answers it
    // It ends as `how` says, once all that was said has been answered: "end", "fin" or "reset".
    void leave(const std::string& how);
    void cut();
    void read(bool wanted) { client_.want_readable(wanted); }

    // What is under way can be anywhere: so many bytes may or may not have passed the proxy.
    std::uint64_t under_way(Voice::End end) const;
    bool is_open() const { return state_ == State::open; }
    bool was_established() const { return established_; }
    std::uint64_t unanswered() const { return said_.stanzas - ear_.heard().stanzas; }
    // For how long it has been waiting for anything.
    Clock::duration waits(Clock::time_point now) const;
    const Tally& said() const { return said_; }
    const Tally& heard() const { return ear_.heard(); }
    std::uint64_t number() const { return number_; }
    const PlannedSession& plan() const { return plan_; }
    std::string name() const;

private:
    enum class State : std::uint8_t { setting_up, open, leaving, over };

    void on_open(Client& client) override;
    void on_played(Client& client) override;
    void on_received(Client& client, std::string_view xmpp) override;
    void on_closed(Client& client) override;
    void on_failed(Client& client, const std::string& why) override;
    void on_last(const Last& last);
    void over(SoakEnd end, const std::string& why);

    const PlannedSession& plan_;
    std::uint64_t number_;
    SoakSessionOwner& owner_;
    std::uint64_t seed_;
    Voice voice_;
    Ear ear_;
    Tally said_;
    State state_ = State::setting_up;
    bool established_ = false;
    std::string how_;
    Clock::time_point since_ = Clock::now();
    Client client_;
};

}  // namespace stanzagate::load
