#include "proxy/descriptor_limit.hpp"

#include <sys/resource.h>

#include <limits>
#include <string>

namespace stanzagate::proxy {
namespace {

constexpr std::uint64_t of_a_session = 2;  // the client's, and the one to its upstream
constexpr std::uint64_t of_the_rest = 100;

}  // namespace

std::uint64_t hard_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::numeric_limits<std::uint64_t>::max();
    return limit.rlim_max;
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void warn_of_descriptors(const config::Config& config, std::uint64_t most,
                         config::Diagnostics& diagnostics) {
    auto const connections = config.limits.connections;
    // The default is for those to whom any number is right.
    if (connections == config::Limits{}.connections) return;
    auto const needed = connections * of_a_session + of_the_rest;
    if (needed <= most) return;
    auto const fitting = most < of_the_rest ? 0 : (most - of_the_rest) / of_a_session;
    diagnostics.warning(
        {.file = config.file.string()},
        "limits.connections: " + std::to_string(connections) + " need some " +
            std::to_string(needed) +
            " file descriptors, and a process started like this one may "
            "have " +
            std::to_string(most) + ", enough for " + std::to_string(fitting) +
            ": raise its hard limit (LimitNOFILE= in a unit, ulimit -Hn in a shell), or set "
            "limits.connections to what fits");
}

}  // namespace stanzagate::proxy
