#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace stanzagate::proxy {

// Event loops that stand still, each between two tasks, as long as this lives: what they own may be
// looked at from here, and no descriptor is opened or closed there.
class Standstill {
public:
    // How a task comes to a loop (EventLoop::post()).
    using Post = std::function<void(std::function<void()>)>;

    // Waits for all of them, for so long at most.
    Standstill(const std::vector<Post>& loops, std::chrono::milliseconds longest);
    ~Standstill();
    Standstill(const Standstill&) = delete;
    Standstill& operator=(const Standstill&) = delete;

    // All do. Else one has not answered in time, and nothing may be relied on.
    explicit operator bool() const { return complete_; }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        std::size_t standing = 0;
        bool over = false;
    };

    std::shared_ptr<State> state_ = std::make_shared<State>();  // one may come when this is gone
    bool complete_ = false;
};

}  // namespace stanzagate::proxy
