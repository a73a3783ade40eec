#pragma once

#include <boost/intrusive/list.hpp>

#include "proxy/event_loop.hpp"

namespace stanzagate::proxy {

// What lives on a worker, from when somebody connects until Worker::retire(): a session, or a
// connection that speaks HTTP. It never leaves its worker.
class Resident : public Pollable, public boost::intrusive::list_base_hook<> {
public:
    Resident() = default;
    Resident(const Resident&) = delete;
    Resident& operator=(const Resident&) = delete;
    virtual ~Resident() = default;

    // Not authenticated yet: nothing is lost when it is ended.
    virtual bool is_negotiating() const = 0;
    // Whether a stopping worker waits for it.
    virtual bool is_session() const = 0;
    // The process stops: says so where that can be said, and ends.
    virtual void drain() = 0;
    // There is no time left for a peer that does not answer.
    virtual void abandon() = 0;
};

}  // namespace stanzagate::proxy
