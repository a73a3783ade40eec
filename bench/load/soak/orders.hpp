#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "bench/load/loop.hpp"

namespace stanzagate::load {

// Lines on standard input, as they come. The end of it ends the run: nobody is there any more.
class Orders final : public Watcher {
public:
    using Handler = std::function<void(const std::string& line)>;

    Orders(Loop& loop, Handler handler);
    void on_events(std::uint32_t events) override;

private:
    Handler handler_;
    std::string text_;
};

// Calls again and again, from now on.
class Ticker final : public Watcher {
public:
    Ticker(Loop& loop, std::chrono::milliseconds every, std::function<void()> handler);
    void on_events(std::uint32_t events) override;

private:
    Fd timer_;
    std::function<void()> handler_;
};

}  // namespace stanzagate::load
