#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>

struct lua_State;
struct lua_Debug;

namespace stanzagate::config {

// A Lua that cannot do harm: no files, no processes, no metatables, no coroutines, no code from
// text, and an end to everything. Bounded are the steps it takes, the memory it holds at one time,
// in one piece and in all (copying costs time), and its processor time, for what one step can cost.
// A limit that was met cannot be caught by the program's own pcall().
//
// Lua is C: an error in it is a longjmp, which runs no destructors. So every function called from
// Lua holds nothing that needs one while it calls Lua, and everything that can raise an error runs
// inside call().
class LuaSandbox {
public:
    LuaSandbox();
    ~LuaSandbox();
    LuaSandbox(const LuaSandbox&) = delete;
    LuaSandbox& operator=(const LuaSandbox&) = delete;

    enum class Outcome { done, failed, out_of_memory };
    // Calls function(state), which takes `argument` and may leave one result, in protected mode.
    // Done: the result, or nil, is on top of the stack. Otherwise the stack is as before, and
    // error() says why.
    Outcome call(int (*function)(lua_State*), void* argument);
    const std::string& error() const { return error_; }
    lua_State* state() { return state_; }

    // For functions called from Lua: takes so many steps at once, and raises an error where they
    // are not left.
    static void charge(lua_State* state, std::uint64_t steps);
    // Pushes a table with what a program may use of Lua's library. Raises errors.
    static void push_library(lua_State* state);
    // Raises an error that names the innermost line of a program whose chunk is called "@NUMBER":
    // "NUMBER:LINE: message".
    [[noreturn]] static void fail(lua_State* state, const char* message);

    // Where a program is: the number in its chunk's name and the line; 0 where none is running.
    struct Place {
        int chunk = 0;
        int line = 0;
    };
    static Place place(lua_State* state);

private:
    static void* allocate(void* self, void* block, std::size_t old_size, std::size_t size);
    static void count(lua_State* state, lua_Debug* activation);
    static int protected_call(lua_State* state);
    static LuaSandbox& of(lua_State* state);

    lua_State* state_ = nullptr;
    std::size_t held_ = 0;       // bytes
    std::size_t allocated_ = 0;  // bytes, ever
    std::uint64_t steps_left_;
    bool spent_ = false;
    bool out_of_memory_ = false;
    std::clock_t started_;
    std::string error_;
};

}  // namespace stanzagate::config
