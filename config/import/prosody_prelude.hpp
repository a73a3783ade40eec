#pragma once

#include <string_view>

namespace stanzagate::config {

// A Lua program that gives a configuration what Prosody's own reader gives it: assignments become
// options; VirtualHost, Component, Include and so on. It is called with a table of functions:
//   here()                the number of the file and the line that is being evaluated
//   fail(message)         raises an error there
//   warn(message)         a warning there
//   open(from, path)      the number of the file to include, or nothing
//   matching(from, path)  the paths that a path with wildcards stands for
//   compile(number, env)  a file as a function
//   setmetatable, environment (of the process), library (what programs may use)
// It evaluates file 1 and returns a list of sections: { name, component, file, line, options },
// where options[name] is { value, file, line, below }; `below`: it was assigned in that line or
// further down, not further up. A value that is not known here is a table with a
// metatable; its field `what` says what it would have been.
extern const std::string_view prosody_prelude;

}  // namespace stanzagate::config
