#include "config/toml_value.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include <toml++/toml.h>

namespace stanzagate::config {
namespace {

// Deeper than anything an operator can mean, shallower than what recursion can bear.
constexpr int deepest = 64;

// Turns the library's tree into ours.
class Converter {
public:
    Converter(const std::string& file, Diagnostics& diagnostics)
        : file_(file), diagnostics_(diagnostics) {}

    TomlValue convert(const toml::node& node, int depth) {
        TomlValue result;
        result.where = position(node.source());
        if (depth > deepest) {
            diagnostics_.error(result.where, "not valid here: tables nested too deeply");
        } else if (const toml::table* table = node.as_table()) {
            result.value = convert_table(*table, depth);
        } else if (const toml::array* array = node.as_array()) {
            result.value = convert_array(*array, depth);
        } else if (const auto* text = node.as_string()) {
            result.value = text->get();
        } else if (const auto* integer = node.as_integer()) {
            result.value = std::int64_t{integer->get()};
        } else if (const auto* real = node.as_floating_point()) {
            result.value = real->get();
        } else if (const auto* flag = node.as_boolean()) {
            result.value = flag->get();
        } else {
            result.value = TomlTime{};
        }
        return result;
    }

    Position position(const toml::source_region& source) const {
        return {.file = file_,
                .line = static_cast<int>(source.begin.line),
                .column = static_cast<int>(source.begin.column)};
    }

private:
    TomlTable convert_table(const toml::table& table, int depth) {
        TomlTable result;
        for (const auto& [key, node] : table)
            result.entries.push_back({.key = std::string(key.str()),
                                      .key_where = position(key.source()),
                                      .value = convert(node, depth + 1)});
        // The library sorts by name.
        std::ranges::sort(result.entries, {}, &TomlEntry::key_where);
        return result;
    }

    TomlArray convert_array(const toml::array& array, int depth) {
        TomlArray result;
        for (const toml::node& node : array) result.push_back(convert(node, depth + 1));
        return result;
    }

    const std::string& file_;
    Diagnostics& diagnostics_;
};

// The library frees nested tables by recursion, and a dotted key may nest without end: `a.a.a.a...`
// Returns the first line with more dots outside quotation marks than any key has, 0 for none.
int line_of_endless_key(std::string_view text) {
    constexpr int most_dots = 1000;
    int line = 1;
    int dots = 0;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\n') {
            ++line;
            dots = 0;
            quote = 0;
        } else if (quote != 0) {
            if (c == '\\' && quote == '"') ++i;
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '.' && ++dots > most_dots) {
            return line;
        }
    }
    return 0;
}

std::string number_text(double number) {
    std::string text = std::to_string(number);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text += '0';
    return text;
}

}  // namespace

const TomlEntry* TomlTable::find(std::string_view key) const {
    const auto found = std::ranges::find(entries, key, &TomlEntry::key);
    return found == entries.end() ? nullptr : &*found;
}

std::string TomlValue::describe() const {
    struct Describe {
        std::string operator()(const std::string& text) const {
            return "the string " + in_quotes(text);
        }
        std::string operator()(std::int64_t number) const {
            return "the number " + std::to_string(number);
        }
        std::string operator()(double number) const { return "the number " + number_text(number); }
        std::string operator()(bool flag) const { return flag ? "true" : "false"; }
        std::string operator()(TomlTime) const { return "a date or time"; }
        std::string operator()(const TomlArray&) const { return "a list"; }
        std::string operator()(const TomlTable&) const { return "a table"; }
    };
    return std::visit(Describe{}, value);
}

std::optional<TomlValue> parse_toml(std::string_view text, const std::string& file,
                                    Diagnostics& diagnostics) {
    if (const int line = line_of_endless_key(text); line > 0) {
        diagnostics.error({.file = file, .line = line, .column = 1},
                          "not valid here: a key of more than a thousand parts");
        return std::nullopt;
    }
    Converter converter(file, diagnostics);
    try {
        const toml::table table = toml::parse(text, file);
        return converter.convert(table, 0);
    } catch (const toml::parse_error& error) {
        std::string why = one_line(error.description());
        if (why.starts_with("Error while ")) why.erase(0, std::string_view("Error ").size());
        diagnostics.error(converter.position(error.source()), "not valid TOML: " + why);
        return std::nullopt;
    }
}

}  // namespace stanzagate::config
