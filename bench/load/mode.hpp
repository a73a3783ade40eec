#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/client.hpp"
#include "bench/load/loop.hpp"
#include "bench/load/options.hpp"
#include "bench/load/report.hpp"
#include "bench/load/sink.hpp"
#include "bench/load/tls.hpp"
#include "bench/load/web_sink.hpp"

namespace stanzagate::load {

// What every mode works with.
struct Run {
    Options options{};
    Loop loop{};
    TlsClientContext tls{};
    Target target{};
    std::optional<Sink> sink{};
    std::optional<WebSink> web_sink{};  // instead, where the proxy speaks HTTP to the server
};

// One kind of load: a fixed amount of work, so that all rounds are alike.
class Mode {
public:
    virtual ~Mode() = default;
    // What is not measured: the sessions that the work needs.
    virtual void prepare() {}
    virtual void work() = 0;
    virtual void report(Report& into) = 0;
};

// On standard input: whoever measures says that the load may go on.
void wait_for_line();

std::vector<std::string> mode_names();
std::unique_ptr<Mode> make_mode(Run& run);
Sink::Behaviour sink_behaviour(const std::string& mode);

// The modes, one file each in modes/.
std::unique_ptr<Mode> make_flood_up(Run& run);
std::unique_ptr<Mode> make_flood_down(Run& run);
std::unique_ptr<Mode> make_echo(Run& run);
std::unique_ptr<Mode> make_idle(Run& run);
std::unique_ptr<Mode> make_connects(Run& run);  // handshake, resumed, setup, registration
std::unique_ptr<Mode> make_soak(Run& run);
std::unique_ptr<Mode> make_soak_sink(Run& run);

}  // namespace stanzagate::load
