#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "filters/frame.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/fd.hpp"

namespace stanzagate::proxy {

using filters::Side;

// Who is told of a socket's events. Aligned, so that a pointer to it has a bit free for the side.
class alignas(8) Pollable {
public:
    virtual void on_events(Side side, std::uint32_t events) = 0;
    // Asked for by EventLoop::again(): there is more to do without any event.
    virtual void on_again() = 0;

    // Both belong to the EventLoop.
    bool again_queued = false;
    bool buried = false;

protected:
    ~Pollable() = default;
};

// A worker's loop: one epoll instance, edge-triggered, in which each socket is registered once for
// its life; deadlines; and tasks from other threads. A wake-up costs one epoll_wait() and nothing
// else. Everything but post() and stop() is for the loop's own thread.
//   run() until stop()
// One round tells of events, runs due deadlines, then calls who asked for on_again(), then runs
// what was put off until later() and what other threads have posted.
class EventLoop {
public:
    using Task = std::function<void()>;

    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // From now on, events of `fd` go to `who`. Closing the descriptor ends it. False: no memory.
    bool add(int fd, Pollable& who, Side side = Side::client);
    // The same for a descriptor that was added before: `who` takes it over, and is told of what is
    // ready already.
    bool move(int fd, Pollable& who, Side side = Side::client);
    // The same for a listening socket, which may be another worker's or another process's, too:
    // then not all of them are woken for each who comes. To be removed before it is closed.
    bool add_listening(int fd, Pollable& who);
    // Of a descriptor that is open elsewhere, too, closing it here would end nothing: its events
    // would go on to come.
    void remove(int fd);
    // Calls who.on_again() before the loop sleeps, after everything that is ready now.
    void again(Pollable& who);
    // `who` is told of nothing any more and may be deleted later().
    void bury(Pollable& who);
    // Runs `task` at the end of this round.
    void later(Task task) { later_.push_back(std::move(task)); }
    Deadlines& deadlines() { return deadlines_; }

    // From any thread: `task` runs on the loop's. A loop that has stopped runs it never.
    void post(Task task);
    void stop();

    // An exception of a handler ends run(), which may be called again: no other event is lost.
    void run();
    // One round, that sleeps for so long at most where nothing is to be done.
    void run_once(std::chrono::milliseconds longest);

private:
    struct Event {
        std::uintptr_t who;
        std::uint32_t events;
    };
    class Mailbox final : public Pollable {
    public:
        explicit Mailbox(EventLoop& loop) : loop_(loop) {}
        void on_events(Side side, std::uint32_t events) override;
        void on_again() override {}

    private:
        EventLoop& loop_;
    };

    bool tell_of(int fd, Pollable& who, Side side, int operation);
    bool control(int fd, int operation, std::uint32_t events, std::uintptr_t who);
    int sleep_time(std::chrono::milliseconds longest) const;
    void wait(int milliseconds);
    void tell();
    void collect_posted();
    void run_again();
    void run_later();

    Fd epoll_;
    Fd wake_;
    Mailbox mailbox_{*this};
    Deadlines deadlines_;
    std::vector<Event> ready_;  // what the last epoll_wait() brought, not told yet: the last first
    std::deque<Pollable*> again_;
    std::deque<Pollable*> batch_;  // of those that asked, who is called in this round
    std::deque<Task> later_;
    std::mutex mutex_;
    std::vector<Task> posted_;  // guarded by mutex_
    bool stopped_ = false;
};

}  // namespace stanzagate::proxy
