#include <gtest/gtest.h>

#include <chrono>
#include <latch>
#include <vector>

#include "proxy/session.hpp"
#include "tests/proxy/scarce_memory.hpp"
#include "tests/proxy/sockets.hpp"
#include "tests/proxy/test_gate.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;

// Those for whom there is no memory are lost; but the listener closes, and the worker ends.
TEST(HandOverTest, GoesOnWhereNobodyCanBeAccepted) {
    TestUpstream const upstream;
    TestGate gate(upstream, "");
    ScarceMemory const scarce(sizeof(Session), sizeof(Session));
    std::latch begun(1);
    std::latch all_wait(1);
    gate.worker().loop().post([&] {
        begun.count_down();
        all_wait.wait();
    });
    begun.wait();
    std::vector<Fd> waiting;
    for (int i = 0; i < 3; ++i) waiting.push_back(gate.dial("none"));
    gate.worker().hand_over(std::chrono::milliseconds(0));
    all_wait.count_down();
    for (auto const& client : waiting) EXPECT_EQ(hear_to_end(client), "");
    ASSERT_TRUE(eventually([&] { return !gate.dial("none"); })) << "it listens no more";
    EXPECT_FALSE(events(gate.join(), "exception").empty());
}

}  // namespace
}  // namespace stanzagate::proxy
