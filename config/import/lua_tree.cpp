#include "config/import/lua_tree.hpp"

#include <algorithm>
#include <lua.hpp>

namespace stanzagate::config {
namespace {

constexpr int deepest = 12;
// More than a list can have in the sandbox. A table that is in itself, or in another often, has
// more.
constexpr std::size_t most_values = 250'000;

LuaValue unknown(std::string what) {
    return {LuaUnknown{std::move(what)}};
}

std::string text_on_top(lua_State* state) {
    std::size_t size = 0;
    const char* const text = lua_tolstring(state, -1, &size);
    return {text, size};
}

}  // namespace

LuaValue LuaTree::read() {
    const std::size_t most = std::min(most_values, left_in_all_);
    left_ = most;
    LuaValue found = read_at(0);
    left_in_all_ -= most - left_;
    if (left_ == 0) return unknown("a table with very many values");
    return found;
}

LuaValue LuaTree::read_at(int depth) {
    if (left_ == 0) return {};
    --left_;
    switch (lua_type(state_, -1)) {
        case LUA_TBOOLEAN:
            return {lua_toboolean(state_, -1) != 0};
        case LUA_TNUMBER:
            if (lua_isinteger(state_, -1) != 0)
                return {std::int64_t{lua_tointegerx(state_, -1, nullptr)}};
            return {lua_tonumberx(state_, -1, nullptr)};
        case LUA_TSTRING:
            return {text_on_top(state_)};
        case LUA_TTABLE:
            return read_table(depth);
        case LUA_TFUNCTION:
            return unknown("a function");
        default:
            return unknown("a value that is not known here");
    }
}

LuaValue LuaTree::read_table(int depth) {
    if (depth >= deepest || lua_checkstack(state_, 4) == 0) return unknown("a very deep table");
    if (lua_getmetatable(state_, -1) != 0) {
        lua_pop(state_, 1);
        std::string what = text("what");
        return unknown(what.empty() ? "a value that is not known here" : std::move(what));
    }
    LuaTable table;
    for (lua_Integer at = 1; left_ > 0; ++at) {
        const bool end = lua_rawgeti(state_, -1, at) == LUA_TNIL;
        if (!end) table.list.push_back(read_at(depth + 1));
        lua_pop(state_, 1);
        if (end) break;
    }
    read_fields(table, depth);
    return {std::move(table)};
}

void LuaTree::read_fields(LuaTable& table, int depth) {
    lua_pushnil(state_);
    while (lua_next(state_, -2) != 0) {
        if (left_ > 0 && lua_type(state_, -2) == LUA_TSTRING) {
            LuaValue value = read_at(depth + 1);
            lua_pushvalue(state_, -2);
            table.fields.push_back({text_on_top(state_), std::move(value)});
            lua_pop(state_, 1);
        }
        lua_pop(state_, 1);
    }
    // Lua's own order changes from run to run.
    std::ranges::sort(table.fields, {}, &LuaField::name);
}

// A field of the table on top; lua_getfield() would have to make a string of its name.
bool LuaTree::push(const char* field) {
    const std::string name = field;
    lua_pushnil(state_);
    while (lua_next(state_, -2) != 0) {
        if (lua_type(state_, -2) == LUA_TSTRING) {
            lua_pushvalue(state_, -2);
            const bool found = text_on_top(state_) == name;
            lua_pop(state_, 1);
            if (found) {
                lua_copy(state_, -1, -2);
                lua_pop(state_, 1);
                return true;
            }
        }
        lua_pop(state_, 1);
    }
    return false;
}

LuaValue LuaTree::field(const char* name) {
    if (!push(name)) return unknown("nothing");
    LuaValue found = read();
    lua_pop(state_, 1);
    return found;
}

std::string LuaTree::text(const char* field) {
    if (!push(field)) return {};
    std::string found = lua_type(state_, -1) == LUA_TSTRING ? text_on_top(state_) : std::string();
    lua_pop(state_, 1);
    return found;
}

int LuaTree::number(const char* field) {
    if (!push(field)) return 0;
    const auto found = static_cast<int>(lua_tointegerx(state_, -1, nullptr));
    lua_pop(state_, 1);
    return found;
}

bool LuaTree::is_true(const char* field) {
    if (!push(field)) return false;
    const bool found = lua_toboolean(state_, -1) != 0;
    lua_pop(state_, 1);
    return found;
}

}  // namespace stanzagate::config
