#include "config/import/prosody_prelude.hpp"

namespace stanzagate::config {

const std::string_view prosody_prelude = R"lua(
local native = ...
local here, fail, warn, setmetatable = native.here, native.fail, native.warn, native.setmetatable
local library, environment = native.library, native.environment
local type, pairs, ipairs, tostring =
    library.type, library.pairs, library.ipairs, library.tostring
local lower, sub, find = library.string.lower, library.string.sub, library.string.find
local most_depth = 20

-- Whatever a program does with an unknown value gives an unknown value again.
local unknown_meta = {}
local function unknown(what) return setmetatable({ what = what }, unknown_meta) end
local function itself(value) return value end
unknown_meta.__index, unknown_meta.__call = itself, itself
function unknown_meta.__concat(left, right)
    return type(left) == "table" and left or right
end

-- Sections and options.
local sections, by_name = {}, {}
local function section(name)
    local found = by_name[name]
    if not found then
        found = { name = name, options = {} }
        found.file, found.line = here()
        sections[#sections + 1] = found
        by_name[name] = found
    end
    return found
end

local behind = setmetatable({}, { __mode = "k" })  -- proxies and the lists that they stand for
local function set(host, name, value, below)
    if type(name) ~= "string" then return end
    if type(value) == "table" then value = behind[value] or value end
    local option
    if value ~= nil then
        local file, line = here()
        option = { value = value, file = file, line = line, below = below }
    end
    section(host).options[name] = option
end

-- Prosody 0.13 gives back the lists that were set before, to be extended:
-- modules_enabled { "x" }, or modules_enabled:append { "x" }.
local proxy_meta = {}
local operations = {}
local function append(proxy, more)
    local list = behind[proxy]
    if type(more) ~= "table" then fail("only a list of values can be appended to a list") end
    more = behind[more] or more
    for key, value in pairs(more) do
        if type(key) == "number" then list[#list + 1] = value else list[key] = value end
    end
    return proxy
end
operations.append = append
function operations.value(proxy) return behind[proxy] end
function proxy_meta.__index(_, name)
    return operations[name] or fail("no operation of an option is called " .. tostring(name))
end
proxy_meta.__call = append
local function proxy_of(list)
    local proxy = setmetatable({ what = "a list read back" }, proxy_meta)
    behind[proxy] = list
    return proxy
end

local forbidden = {}
for _, name in ipairs { "collectgarbage", "coroutine", "debug", "dofile", "getfenv",
        "getmetatable", "io", "load", "loadfile", "loadstring", "module", "newproxy", "package",
        "prosody", "rawget", "rawset", "require", "setfenv", "setmetatable", "utf8", "xpcall" } do
    forbidden[name] = true
end
local function refuse(name)
    fail(name .. " is not to be had where a configuration is imported: no files, no processes")
end
setmetatable(library, { __index = function(_, name)
    if forbidden[name] then refuse(name) end
end })
local function variable(name)
    local value = environment(name)
    if not value then
        warn("the environment variable " .. name .. " is not set here; Prosody's may be")
    end
    return value
end
library.os = setmetatable({ getenv = variable }, { __index = function(_, name)
    refuse("os." .. tostring(name))
end })
library._G = library

local function name_of(kind, name)
    if type(name) ~= "string" then fail(kind .. " needs a name in quotes") end
    return lower(name)
end

local evaluate

-- What one file sees. Each starts outside of any host.
local function scope(number, depth)
    local current = "*"
    local names = {}
    local function options_of(host)
        return function(options)
            current = "*"
            if type(options) ~= "table" then
                fail("options in braces were expected behind the name, not " .. type(options))
            end
            for name, value in pairs(options) do set(host, name, value, true) end
        end
    end

    function names.VirtualHost(name)
        name = name_of("VirtualHost", name)
        if section(name).component then fail(name .. " is a Component already") end
        current = name
        section(name).host = true
        return options_of(name)
    end
    names.Host, names.host = names.VirtualHost, names.VirtualHost

    function names.Component(name)
        name = name_of("Component", name)
        if section(name).host then fail(name .. " is a VirtualHost already") end
        current = name
        section(name).component = true
        return function(module)
            if type(module) == "string" then return options_of(name) end
            return options_of(name)(module)
        end
    end
    names.component = names.Component

    function names.Include(path)
        if type(path) ~= "string" then fail("Include needs the name of a file in quotes") end
        if depth >= most_depth then fail("the files include one another without an end") end
        local paths = { path }
        if find(path, "*", 1, true) or find(path, "?", 1, true) then
            paths = native.matching(number, path)
        end
        for _, one in ipairs(paths) do
            local included = native.open(number, one)
            if included then evaluate(included, depth + 1) end
        end
    end
    names.include = names.Include

    function names.RunScript()
        warn("RunScript is not followed")
        return unknown("what RunScript gives")
    end
    for _, name in ipairs { "FileContents", "FileLine", "FileLines", "Credential" } do
        names[name] = function() return unknown("what " .. name .. " reads") end
    end

    return setmetatable(names, {
        __index = function(_, name)
            if type(name) ~= "string" then return nil end
            if sub(name, 1, 4) == "ENV_" then return variable(sub(name, 5)) end
            if name == "Lua" then return library end
            local options = by_name[current] and by_name[current].options
            local option = options and options[name]
            if option then
                local value = option.value
                return type(value) == "table" and not value.what and proxy_of(value) or value
            end
            local value = library[name]
            if value == nil then
                warn(name .. " has no value; are there quotes missing around it?")
            end
            return value
        end,
        __newindex = function(_, name, value) set(current, name, value) end,
    })
end

function evaluate(number, depth)
    native.compile(number, scope(number, depth))()
end

section("*")
evaluate(1, 0)
return sections
)lua";

}  // namespace stanzagate::config
