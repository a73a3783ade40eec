#include "config/import/lua_value.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "config/diagnostics.hpp"

namespace stanzagate::config {
namespace {

struct Describe {
    std::string operator()(const LuaUnknown& unknown) const { return unknown.what; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const {
        std::array<char, 40> text{};
        std::snprintf(text.data(), text.size(), "%.14g", number);  // as Lua itself writes it
        return text.data();
    }
    std::string operator()(const std::string& text) const { return in_quotes(text); }
    std::string operator()(const LuaTable& table) const {
        return table.list.empty() ? "a table" : "a list";
    }
};

}  // namespace

const LuaValue* LuaTable::find(const std::string& key) const {
    const auto found = std::ranges::find(fields, key, &LuaField::name);
    return found == fields.end() ? nullptr : &found->value;
}

std::string LuaValue::describe() const {
    return std::visit(Describe{}, value);
}

}  // namespace stanzagate::config
