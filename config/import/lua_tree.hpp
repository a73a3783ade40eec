#pragma once

#include <cstddef>
#include <string>

#include "config/import/lua_value.hpp"

struct lua_State;

// Reads values out of a Lua state. Uses only what can raise no error, so that it needs no protected
// call, and C++ objects may be around.
namespace stanzagate::config {

class LuaTree {
public:
    explicit LuaTree(lua_State* state) : state_(state) {}

    // The value on top of the stack, which stays there. Unknown is what is deeper than any option,
    // a table with a metatable, by its field `what`, and all of what has very many values: no list
    // is cut, and nothing depends on the order in which Lua goes through a table.
    LuaValue read();
    // Whether all that was read has so many values that reading on costs too much.
    bool is_full() const { return left_in_all_ == 0; }
    // Fields of the table on top of the stack. push() leaves it there on top, if there is one.
    bool push(const char* field);
    LuaValue field(const char* name);
    std::string text(const char* field);
    int number(const char* field);
    bool is_true(const char* field);

private:
    LuaValue read_at(int depth);
    LuaValue read_table(int depth);
    void read_fields(LuaTable& table, int depth);

    lua_State* state_;
    std::size_t left_ = 0;  // values of what is being read
    std::size_t left_in_all_ = 1'000'000;
};

}  // namespace stanzagate::config
