#include <gtest/gtest.h>

#include <filesystem>
#include <new>
#include <set>
#include <utility>

#include "proxy/file_watcher.hpp"
#include "tests/proxy/sockets.hpp"
#include "tests/temporary_folder.hpp"

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;

// Of two that changed at once, neither is lost.
TEST(FileWatcherFailureTest, WhatAHandlerFailedAtIsToldAgain) {
    TemporaryFolder folder;
    boost::asio::io_context io{1};
    std::set<std::filesystem::path> reported;
    bool fails = true;
    FileWatcher watcher(io,
                        [&](const std::filesystem::path& file) {
                            if (std::exchange(fails, false)) throw std::bad_alloc();
                            reported.insert(file);
                        },
                        {.settle = 10ms, .look = 20ms});
    watcher.watch({folder.write("a", "one"), folder.write("b", "one")});
    for (auto const* const name : {"a", "b"}) folder.write(name, "other");
    EXPECT_THROW(io.run_for(10s), std::bad_alloc);
    EXPECT_TRUE(testing::eventually([&] { return reported.size() == 2; },
                                    [&] {
                                        io.restart();
                                        io.run_one_for(50ms);
                                    }));
}

}  // namespace
}  // namespace stanzagate::proxy
