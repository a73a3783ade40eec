#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "proxy/history.hpp"
#include "proxy/report.hpp"

namespace stanzagate::proxy {

class ListLookups;
class Reloader;
class SharedQuotas;
class Worker;

// Whom the admin address asks. Adds up what the workers count, and keeps the last hour. On the
// background loop.
class Monitor {
public:
    struct Sources {
        const std::vector<std::unique_ptr<Worker>>& workers;
        const Reloader& reloader;
        const Recent& recent;
        const SharedQuotas& quotas;
        const ListLookups& list_lookups;
    };

    Monitor(boost::asio::io_context& background, Sources sources);
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    // The process has begun to stop.
    void drain() { draining_ = true; }
    bool is_draining() const { return draining_; }
    Report report() const;

private:
    Totals totals() const;
    void wait_for_minute();

    Sources sources_;
    std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
    History history_;
    boost::asio::steady_timer minute_;
    bool draining_ = false;
};

}  // namespace stanzagate::proxy
