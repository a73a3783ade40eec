#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>

#include "tests/proxy/sockets.hpp"

namespace stanzagate::proxy::testing {

// Of what lives on the background loop, which runs when the test says so.
class BackgroundTest : public ::testing::Test {
protected:
    // False: not within ten seconds.
    bool run_until(const std::function<bool()>& holds) {
        return eventually(holds, [this] {
            io_.restart();
            io_.run_one_for(std::chrono::milliseconds(50));
        });
    }
    // What was due has been done, and nothing more comes.
    void run_quietly() {
        io_.restart();
        io_.run_for(std::chrono::milliseconds(50));
        io_.poll();
    }

    boost::asio::io_context io_{1};
};

}  // namespace stanzagate::proxy::testing
