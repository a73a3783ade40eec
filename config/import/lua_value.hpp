#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

// What a Lua program left behind, as plain values that need no Lua.
namespace stanzagate::config {

struct LuaValue;
struct LuaField;

struct LuaTable {
    std::vector<LuaValue> list;    // [1], [2], ... up to the first nil
    std::vector<LuaField> fields;  // those with text keys, sorted by key

    const LuaValue* find(const std::string& key) const;
};

// A value that is known only where the program runs in earnest, or that no text can say: what a
// file has in it, a function.
struct LuaUnknown {
    std::string what;  // for messages: "FileContents"
};

struct LuaValue {
    std::variant<LuaUnknown, bool, std::int64_t, double, std::string, LuaTable> value;

    // For messages: a string in quotes, "true", "3", "a list", "a function".
    std::string describe() const;
};

struct LuaField {
    std::string name;
    LuaValue value;
};

}  // namespace stanzagate::config
