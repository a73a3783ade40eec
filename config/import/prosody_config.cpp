#include "config/import/prosody_config.hpp"

#include <cstdlib>
#include <lua.hpp>
#include <set>
#include <utility>

#include "config/import/lua_sandbox.hpp"
#include "config/import/lua_tree.hpp"
#include "config/import/prosody_files.hpp"
#include "config/import/prosody_prelude.hpp"

namespace stanzagate::config {
namespace {

constexpr const char* where_to_import =
    "import the file where it stands, or a copy in the same folder";

// One evaluation. Its functions that Lua calls keep their C++ values here, not on the stack: an
// error in Lua runs no destructors (lua_sandbox.hpp).
class Evaluation {
public:
    Evaluation(const std::filesystem::path& file, Diagnostics& diagnostics)
        : files_(file), diagnostics_(diagnostics) {}

    std::optional<ProsodyConfig> run(const std::filesystem::path& file);

private:
    static Evaluation& of(lua_State* state) {
        return *static_cast<Evaluation*>(lua_touserdata(state, lua_upvalueindex(1)));
    }
    static int evaluate(lua_State* state);
    static int here(lua_State* state);
    static int fail(lua_State* state);
    static int warn(lua_State* state);
    static int open(lua_State* state);
    static int matching(lua_State* state);
    static int compile(lua_State* state);
    static int set_metatable(lua_State* state);
    static int environment(lua_State* state);

    void warn_at(LuaSandbox::Place at, const std::string& message);
    void open_file(LuaSandbox::Place at, int from, const char* path);
    void find_matching(int from, const char* pattern);
    void report(LuaSandbox::Outcome outcome);
    std::optional<ProsodyConfig> take_sections(const std::filesystem::path& file);
    ProsodySection take_section(LuaTree& tree);

    ProsodyFiles files_;
    Diagnostics& diagnostics_;
    LuaSandbox sandbox_;
    ProsodyFiles::Opened opened_;
    std::string failure_;
    ProsodyFiles::Matching found_;
    std::set<std::pair<Position, std::string>> said_;
};

int Evaluation::here(lua_State* state) {
    const LuaSandbox::Place at = LuaSandbox::place(state);
    lua_pushinteger(state, at.chunk);
    lua_pushinteger(state, at.line);
    return 2;
}

int Evaluation::fail(lua_State* state) {
    LuaSandbox::fail(state, luaL_checkstring(state, 1));
}

int Evaluation::warn(lua_State* state) {
    const char* const message = luaL_checkstring(state, 1);
    of(state).warn_at(LuaSandbox::place(state), message);
    return 0;
}

void Evaluation::warn_at(LuaSandbox::Place at, const std::string& message) {
    constexpr std::size_t most =
        1000;  // a loop can go round often, and say something else each time
    if (said_.size() >= most) return;
    if (auto where = files_.position(at.chunk, at.line); said_.emplace(where, message).second)
        diagnostics_.warning(std::move(where), one_line(message));
}

void Evaluation::open_file(LuaSandbox::Place at, int from, const char* path) {
    opened_ = files_.open(from, path);
    if (opened_.number != 0) return;
    failure_ = "Include " + in_quotes(path) + ": " + opened_.problem;
    failure_ += opened_.outside ? ", and is not followed" : std::string("; ") + where_to_import;
    if (opened_.outside) warn_at(at, failure_);
}

// Prosody does not start either; going on would lose the hosts that are defined there.
void Evaluation::find_matching(int from, const char* pattern) {
    found_ = files_.matching(from, pattern);
    failure_.clear();
    if (found_.problem.empty()) return;
    failure_ = "Include " + in_quotes(pattern) + ": " + found_.problem + "; " + where_to_import;
}

int Evaluation::open(lua_State* state) {
    const auto from = static_cast<int>(luaL_checkinteger(state, 1));
    const char* const path = luaL_checkstring(state, 2);
    Evaluation& self = of(state);
    self.open_file(LuaSandbox::place(state), from, path);
    if (self.opened_.number == 0 && !self.opened_.outside)
        LuaSandbox::fail(state, self.failure_.c_str());
    if (self.opened_.number == 0) return 0;
    lua_pushinteger(state, self.opened_.number);
    return 1;
}

int Evaluation::matching(lua_State* state) {
    const auto from = static_cast<int>(luaL_checkinteger(state, 1));
    const char* const pattern = luaL_checkstring(state, 2);
    Evaluation& self = of(state);
    self.find_matching(from, pattern);
    if (!self.failure_.empty()) LuaSandbox::fail(state, self.failure_.c_str());
    const std::vector<std::string>& paths = self.found_.paths;
    lua_newtable(state);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        lua_pushlstring(state, paths[i].data(), paths[i].size());
        lua_rawseti(state, -2, static_cast<lua_Integer>(i) + 1);
    }
    return 1;
}

int Evaluation::compile(lua_State* state) {
    const auto number = static_cast<int>(luaL_checkinteger(state, 1));
    const char* const name = lua_pushfstring(state, "@%d", number);
    const std::string& text = of(state).files_.text(number);
    // Text only: compiled code can break the virtual machine.
    if (luaL_loadbufferx(state, text.data(), text.size(), name, "t") != LUA_OK)
        return lua_error(state);
    lua_pushvalue(state, 2);
    lua_setupvalue(state, -2, 1);  // _ENV
    return 1;
}

int Evaluation::set_metatable(lua_State* state) {
    lua_settop(state, 2);
    lua_setmetatable(state, 1);
    return 1;
}

int Evaluation::environment(lua_State* state) {
    lua_pushstring(state, std::getenv(luaL_checkstring(state, 1)));  // nil where it is not set
    return 1;
}

int Evaluation::evaluate(lua_State* state) {
    void* const self = lua_touserdata(state, 1);
    if (luaL_loadbufferx(state, prosody_prelude.data(), prosody_prelude.size(), "=prosody", "t") !=
        LUA_OK)
        return lua_error(state);
    lua_newtable(state);
    LuaSandbox::push_library(state);
    lua_setfield(state, -2, "library");
    constexpr luaL_Reg functions[] = {{"here", here},
                                      {"fail", fail},
                                      {"warn", warn},
                                      {"open", open},
                                      {"matching", matching},
                                      {"compile", compile},
                                      {"setmetatable", set_metatable},
                                      {"environment", environment},
                                      {nullptr, nullptr}};
    lua_pushlightuserdata(state, self);
    luaL_setfuncs(state, functions, 1);
    lua_call(state, 1, 1);
    return 1;
}

// An error of Lua's as "NUMBER:LINE: message".
void Evaluation::report(LuaSandbox::Outcome outcome) {
    if (outcome == LuaSandbox::Outcome::out_of_memory) {
        diagnostics_.error(files_.position(1, 1),
                           "evaluating the file needs more memory than an import may take");
        return;
    }
    std::string message = sandbox_.error();
    char* end = nullptr;
    const long chunk = std::strtol(message.c_str(), &end, 10);
    long line = 0;
    if (*end == ':' && chunk > 0) line = std::strtol(end + 1, &end, 10);
    const bool placed = line > 0 && line < 10'000'000 && *end == ':';
    if (placed) message.erase(0, static_cast<std::size_t>(end - message.c_str()) + 2);
    if (message.empty()) message = "an error without a text";
    diagnostics_.error(placed ? files_.position(static_cast<int>(chunk), static_cast<int>(line))
                              : files_.position(1, 1),
                       one_line(message));
}

ProsodySection Evaluation::take_section(LuaTree& tree) {
    lua_State* const state = sandbox_.state();
    ProsodySection section{.name = tree.text("name"),
                           .component = tree.is_true("component"),
                           .where = files_.position(tree.number("file"), tree.number("line")),
                           .options = {}};
    if (!tree.push("options")) return section;
    lua_pushnil(state);
    while (lua_next(state, -2) != 0) {
        std::size_t size = 0;
        const char* const text = lua_tolstring(state, -2, &size);
        const std::string name(text, size);
        const auto search =
            tree.is_true("below") ? ProsodyFiles::Search::down : ProsodyFiles::Search::up;
        ProsodyOption option{
            .value = {},
            .where = files_.position(tree.number("file"), tree.number("line"), name, search)};
        option.value = tree.field("value");
        section.options.emplace(name, std::move(option));
        lua_pop(state, 1);
    }
    lua_pop(state, 1);
    return section;
}

std::optional<ProsodyConfig> Evaluation::take_sections(const std::filesystem::path& file) {
    lua_State* const state = sandbox_.state();
    ProsodyConfig config{.file = file, .folder = files_.folder(), .global = {}, .hosts = {}};
    LuaTree tree(state);
    for (lua_Integer at = 1; lua_rawgeti(state, -1, at) == LUA_TTABLE; ++at) {
        ProsodySection section = take_section(tree);
        lua_pop(state, 1);
        if (section.name == "*") {
            config.global = std::move(section);
        } else {
            config.hosts.push_back(std::move(section));
        }
    }
    if (tree.is_full()) {
        diagnostics_.error(files_.position(1, 1),
                           "the options have more values than an import may take; take long lists "
                           "that are not about registration out of a copy of the file");
        return std::nullopt;
    }
    return config;
}

std::optional<ProsodyConfig> Evaluation::run(const std::filesystem::path& file) {
    const ProsodyFiles::Opened first = files_.open_first();
    if (first.number == 0) {
        diagnostics_.error({file.string(), 1, 1},
                           "the Prosody configuration cannot be read: " + first.problem);
        return std::nullopt;
    }
    const LuaSandbox::Outcome outcome = sandbox_.call(&Evaluation::evaluate, this);
    if (outcome != LuaSandbox::Outcome::done) {
        report(outcome);
        return std::nullopt;
    }
    return take_sections(file);
}

}  // namespace

const ProsodyOption* ProsodySection::find(const std::string& option) const {
    const auto found = options.find(option);
    return found == options.end() ? nullptr : &found->second;
}

std::optional<ProsodyConfig> read_prosody_config(const std::filesystem::path& file,
                                                 Diagnostics& diagnostics) {
    return Evaluation(file, diagnostics).run(file);
}

}  // namespace stanzagate::config
