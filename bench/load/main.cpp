// stanzagate_load: see options.cpp for what it can do, bench/README.md for how it is used.
#include <sys/prctl.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>

#include "bench/load/mode.hpp"
#include "bench/load/options.hpp"

namespace stanzagate::load {
namespace {

void start_sink(Run& run) {
    auto const& options = run.options;
    if (options.sink.empty() || options.mode == "soak-sink") return;
    auto const address = parse_address(options.sink);
    if (options.sink_door == "plain")
        run.sink.emplace(run.loop, address, sink_behaviour(options.mode));
    else
        run.web_sink.emplace(run.loop, address, options.sink_door);
}

void measure(const Options& options) {
    Run run{.options = options,
            .target = {parse_address(options.connect), options.host, options.door}};
    start_sink(run);
    auto const mode = make_mode(run);
    mode->prepare();
    Report("ready").print();
    if (options.wait) wait_for_line();
    mode->work();
    Report report("done");
    mode->report(report);
    report.print();
    if (options.wait) wait_for_line();
    // What is still open is closed by the kernel.
    std::_Exit(EXIT_SUCCESS);
}

}  // namespace
}  // namespace stanzagate::load

int main(int argc, char** argv) {
    using namespace stanzagate::load;
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // the echo's timer is as exact as can be
    try {
        int exit_code = 0;
        auto const options = read_options(argc, argv, exit_code);
        if (!options) return exit_code;
        measure(*options);
    } catch (const std::exception& exception) {
        std::fprintf(stderr, "stanzagate_load: %s\n", exception.what());
        return 1;
    }
}
