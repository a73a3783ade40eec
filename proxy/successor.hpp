#pragma once

#include <sys/types.h>

#include <string>
#include <variant>
#include <vector>

#include "proxy/fd.hpp"
#include "proxy/inherited_sockets.hpp"

namespace stanzagate::proxy {

// A program to start, and what with.
struct Program {
    std::string path;
    std::vector<std::string> arguments;  // its name as argv[0] among them
};

// How this process was started. The path is the name that it was called by, made absolute: where a
// package puts a new program, /proc/self/exe still names the old one. To be asked at the start,
// while the folder and $PATH are those of then.
Program this_program(int argc, const char* const* argv);

// The process that was started to take this one's place.
struct Successor {
    pid_t pid = 0;
    Fd channel;  // to speak with it: proxy/predecessor.hpp has the other end
};

// Starts `program` with these sockets, by the protocol of socket activation: as the descriptors
// from 3 on, with LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES. Of the other descriptors it gets
// standard input, output and error. Until the program runs or cannot be started, which this waits
// for, no other thread may close a descriptor that an event loop knows: in between the child has
// it, too, and its events would go on. The error is a text for people.
std::variant<Successor, std::string> start_successor(const Program& program,
                                                     const std::vector<PassedSocket>& sockets);

// Its number, for the successor.
inline constexpr auto channel_variable = "STANZAGATE_TAKEOVER";

}  // namespace stanzagate::proxy
