#pragma once

#include <memory>

#include "proxy/snapshot.hpp"
#include "proxy/successor.hpp"

namespace stanzagate::proxy {

// The exit codes of the program.
enum class ExitCode : int { done = 0, bad_input = 1, bad_command_line = 2, cannot_start = 3 };

// Serves in the foreground until SIGTERM or SIGINT: binds every listener, logs event=ready, tells
// systemd, and drains when told to stop. A second signal ends the process at once. At SIGUSR2 it
// starts `program` to take its place. `warnings` are what loading the snapshot had to say; they go
// to the log.
ExitCode serve(const std::shared_ptr<const Snapshot>& snapshot, const config::Diagnostics& warnings,
               const Program& program);

}  // namespace stanzagate::proxy
