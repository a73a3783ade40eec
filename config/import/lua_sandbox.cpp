#include "config/import/lua_sandbox.hpp"

#include <algorithm>
#include <cstdlib>
#include <lua.hpp>
#include <new>
#include <string_view>

namespace stanzagate::config {
namespace {

constexpr std::uint64_t most_steps = 10'000'000;
constexpr int steps_between_looks = 1000;
constexpr std::clock_t most_seconds = 3;
constexpr std::size_t most_held = std::size_t{32} * 1024 * 1024;
constexpr std::size_t most_in_one_piece = std::size_t{2} * 1024 * 1024;
constexpr std::size_t most_allocated = std::size_t{512} * 1024 * 1024;

// What is kept in the space that Lua leaves its host before each state.
struct Home {
    LuaSandbox* sandbox;
};
static_assert(sizeof(Home) <= LUA_EXTRASPACE);

constexpr const char* too_long =
    "evaluating the file takes too long; is there a loop without an end?";

// The original of a library function, of which ours is a bounded form.
int go_on(lua_State* state) {
    lua_pushvalue(state, lua_upvalueindex(1));
    lua_insert(state, 1);
    lua_call(state, lua_gettop(state) - 1, LUA_MULTRET);
    return lua_gettop(state);
}

// Matching is done in C, where no steps are counted, and backtracks: with every repetition in the
// pattern the time can grow by a factor of the subject's length.
int match(lua_State* state) {
    std::size_t subject_size = 0;
    std::size_t pattern_size = 0;
    luaL_checklstring(state, 1, &subject_size);
    const char* const pattern = luaL_checklstring(state, 2, &pattern_size);
    constexpr std::string_view repetitions = "*+-?";
    constexpr std::string_view runners = "b123456789";
    constexpr std::uint64_t limit = most_steps + 1;
    std::uint64_t cost = std::min<std::uint64_t>(limit, (subject_size + 1) * (pattern_size + 1));
    for (std::size_t i = 0; i < pattern_size; ++i) {
        const bool counted = repetitions.find(pattern[i]) != std::string_view::npos;
        // %b runs ahead, and %1 compares.
        const bool runs = pattern[i] == '%' && i + 1 < pattern_size &&
                          runners.find(pattern[i + 1]) != std::string_view::npos;
        if (counted || runs) cost = std::min<std::uint64_t>(limit, cost * (subject_size + 1));
    }
    LuaSandbox::charge(state, cost);
    return go_on(state);
}

int repeat(lua_State* state) {
    const lua_Integer times = luaL_checkinteger(state, 2);
    if (times > 0) LuaSandbox::charge(state, static_cast<std::uint64_t>(times));
    return go_on(state);
}

// Moves or compares elements in C.
int work_on_table(lua_State* state) {
    luaL_checktype(state, 1, LUA_TTABLE);
    LuaSandbox::charge(state, std::uint64_t{32} * lua_rawlen(state, 1));
    return go_on(state);
}

int ignore(lua_State*) {
    return 0;
}

void wrap(lua_State* state, int table, const char* name, lua_CFunction by) {
    lua_getfield(state, table, name);
    lua_pushcclosure(state, by, 1);
    lua_setfield(state, table, name);
}

void remove(lua_State* state, int table, const char* name) {
    lua_pushnil(state);
    lua_setfield(state, table, name);
}

}  // namespace

LuaSandbox::LuaSandbox() : steps_left_(most_steps), started_(std::clock()) {
    state_ = lua_newstate(&LuaSandbox::allocate, this);
    if (state_ == nullptr) throw std::bad_alloc();
    new (lua_getextraspace(state_)) Home{this};
    lua_sethook(state_, &LuaSandbox::count, LUA_MASKCOUNT, steps_between_looks);
}

LuaSandbox::~LuaSandbox() {
    lua_close(state_);
}

LuaSandbox& LuaSandbox::of(lua_State* state) {
    return *static_cast<Home*>(lua_getextraspace(state))->sandbox;
}

void* LuaSandbox::allocate(void* self, void* block, std::size_t old_size, std::size_t size) {
    auto& sandbox = *static_cast<LuaSandbox*>(self);
    if (block == nullptr) old_size = 0;  // it says of which type the new block will be
    if (size == 0) {
        std::free(block);
        sandbox.held_ -= old_size;
        return nullptr;
    }
    const std::size_t more = size > old_size ? size - old_size : 0;
    if (more > 0 &&
        (size > most_in_one_piece || sandbox.held_ > most_held - std::min(more, most_held) ||
         sandbox.allocated_ > most_allocated - size))
        return nullptr;
    void* const moved = std::realloc(block, size);
    if (moved == nullptr) return nullptr;
    sandbox.held_ = sandbox.held_ - old_size + size;
    if (more > 0) sandbox.allocated_ += size;
    return moved;
}

void LuaSandbox::charge(lua_State* state, std::uint64_t steps) {
    LuaSandbox& sandbox = of(state);
    const bool too_late = std::clock() - sandbox.started_ > most_seconds * CLOCKS_PER_SEC;
    if (steps > sandbox.steps_left_ || too_late) sandbox.spent_ = true;
    if (sandbox.spent_) fail(state, too_long);
    sandbox.steps_left_ -= steps;
}

void LuaSandbox::count(lua_State* state, lua_Debug*) {
    charge(state, steps_between_looks);
}

// Lua's pcall(), which does not catch that a limit was met.
int LuaSandbox::protected_call(lua_State* state) {
    luaL_checkany(state, 1);
    LuaSandbox& sandbox = of(state);
    const int status = lua_pcall(state, lua_gettop(state) - 1, LUA_MULTRET, 0);
    if (status == LUA_ERRMEM) sandbox.out_of_memory_ = true;
    if (sandbox.spent_ || sandbox.out_of_memory_) lua_error(state);
    luaL_checkstack(state, 1, "too many results");
    lua_pushboolean(state, status == LUA_OK ? 1 : 0);
    lua_insert(state, 1);
    return lua_gettop(state);
}

LuaSandbox::Outcome LuaSandbox::call(int (*function)(lua_State*), void* argument) {
    const int top = lua_gettop(state_);
    // Neither of the two allocates, so that neither can fail outside of lua_pcall().
    lua_pushcfunction(state_, function);
    lua_pushlightuserdata(state_, argument);
    const int status = lua_pcall(state_, 1, 1, 0);
    if (status == LUA_OK) return Outcome::done;
    const bool text = lua_type(state_, -1) == LUA_TSTRING;
    error_ = text ? lua_tostring(state_, -1) : "an error that is not a text";
    lua_settop(state_, top);
    return status == LUA_ERRMEM || out_of_memory_ ? Outcome::out_of_memory : Outcome::failed;
}

LuaSandbox::Place LuaSandbox::place(lua_State* state) {
    lua_Debug activation{};
    for (int level = 0; lua_getstack(state, level, &activation) != 0; ++level) {
        lua_getinfo(state, "Sl", &activation);
        if (activation.source[0] == '@' && activation.currentline > 0)
            return {std::atoi(activation.source + 1), activation.currentline};
    }
    return {};
}

void LuaSandbox::fail(lua_State* state, const char* message) {
    const Place at = place(state);
    lua_pushfstring(state, "%d:%d: %s", at.chunk, at.line, message);
    lua_error(state);
    std::abort();  // lua_error() does not return, but is not declared so
}

void LuaSandbox::push_library(lua_State* state) {
    luaL_checkstack(state, 8, nullptr);
    lua_newtable(state);
    const int library = lua_gettop(state);
    luaL_requiref(state, LUA_GNAME, luaopen_base, 0);
    for (const char* const name :
         {"assert", "error", "ipairs", "next", "pairs", "rawequal", "rawlen", "select", "tonumber",
          "tostring", "type", "_VERSION"}) {
        lua_getfield(state, -1, name);
        lua_setfield(state, library, name);
    }
    lua_pop(state, 1);
    lua_pushcfunction(state, &LuaSandbox::protected_call);
    lua_setfield(state, library, "pcall");
    lua_pushcfunction(state, ignore);
    lua_setfield(state, library, "print");

    luaL_requiref(state, LUA_MATHLIBNAME, luaopen_math, 0);
    lua_setfield(state, library, LUA_MATHLIBNAME);

    luaL_requiref(state, LUA_STRLIBNAME, luaopen_string, 0);
    const int strings = lua_gettop(state);
    for (const char* const name : {"dump", "pack", "packsize", "unpack"})
        remove(state, strings, name);
    for (const char* const name : {"find", "match", "gmatch", "gsub"})
        wrap(state, strings, name, match);
    wrap(state, strings, "rep", repeat);
    lua_setfield(state, library, LUA_STRLIBNAME);

    luaL_requiref(state, LUA_TABLIBNAME, luaopen_table, 0);
    const int tables = lua_gettop(state);
    remove(state, tables, "move");  // from and to are any numbers
    for (const char* const name : {"insert", "remove", "sort"})
        wrap(state, tables, name, work_on_table);
    lua_getfield(state, tables, "unpack");
    lua_setfield(state, library, "unpack");  // its name in Lua 5.1
    lua_setfield(state, library, LUA_TABLIBNAME);
}

}  // namespace stanzagate::config
