#include "config/import/prosody_options.hpp"

#include <cmath>
#include <cstdlib>

namespace stanzagate::config {
namespace {

std::optional<std::string> as_text(const LuaValue& value) {
    if (const auto* text = std::get_if<std::string>(&value.value)) return *text;
    if (std::holds_alternative<LuaUnknown>(value.value) ||
        std::holds_alternative<LuaTable>(value.value))
        return std::nullopt;
    return value.describe();  // as tostring() writes it
}

std::optional<double> as_number(const LuaValue& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value.value))
        return static_cast<double>(*number);
    if (const auto* number = std::get_if<double>(&value.value)) return *number;
    const auto* text = std::get_if<std::string>(&value.value);
    if (text == nullptr || text->empty()) return std::nullopt;
    char* end = nullptr;
    const double number = std::strtod(text->c_str(), &end);
    if (*end != '\0' || !std::isfinite(number)) return std::nullopt;
    return number;
}

std::optional<bool> as_boolean(const LuaValue& value) {
    if (const auto* boolean = std::get_if<bool>(&value.value)) return *boolean;
    if (const auto* text = std::get_if<std::string>(&value.value)) {
        if (*text == "true") return true;
        if (*text == "false") return false;
        return std::nullopt;
    }
    if (const auto number = as_number(value)) {
        if (*number == 1.0) return true;
        if (*number == 0.0) return false;
    }
    return std::nullopt;
}

}  // namespace

const ProsodyOption* ProsodyOptions::find(const std::string& name) const {
    const ProsodyOption* own = host_ == nullptr ? nullptr : host_->find(name);
    return own != nullptr ? own : global_->find(name);
}

const ProsodyOption* ProsodyOptions::find_any(const std::vector<std::string>& names) const {
    for (const std::string& name : names)
        if (const ProsodyOption* found = find(name)) return found;
    return nullptr;
}

Position ProsodyOptions::where(const std::string& name) const {
    if (const ProsodyOption* option = find(name)) return option->where;
    return host_ != nullptr ? host_->where : global_->where;
}

const LuaValue* ProsodyOptions::scalar(const std::string& name) const {
    const ProsodyOption* option = find(name);
    if (option == nullptr) return nullptr;
    const LuaValue* value = &option->value;
    if (const auto* table = std::get_if<LuaTable>(&value->value)) {
        if (table->list.size() > 1)
            notes_->add(option->where,
                        name + ": Prosody takes no list here, and reads its first value only");
        value = table->list.empty() ? nullptr : table->list.data();
    }
    if (value == nullptr) return nullptr;
    if (!std::holds_alternative<LuaUnknown>(value->value) &&
        !std::holds_alternative<LuaTable>(value->value))
        return value;
    notes_->add(option->where,
                name + ": cannot be carried over, since its value is " + value->describe());
    return nullptr;
}

std::optional<std::string> ProsodyOptions::text(const std::string& name) const {
    const LuaValue* value = scalar(name);
    return value == nullptr ? std::nullopt : as_text(*value);
}

bool ProsodyOptions::boolean(const std::string& name, bool otherwise) const {
    const ProsodyOption* option = find(name);
    if (option == nullptr) return otherwise;
    const LuaValue* value = scalar(name);
    if (value == nullptr)
        return std::holds_alternative<LuaTable>(option->value.value) ? false : otherwise;
    const auto understood = as_boolean(*value);
    if (!understood)
        notes_->add(option->where, name + ": " + value->describe() +
                                       " is neither true nor false to Prosody, which then "
                                       "goes on as with false");
    return understood.value_or(false);
}

std::optional<double> ProsodyOptions::number(const std::string& name) const {
    const LuaValue* value = scalar(name);
    if (value == nullptr) return std::nullopt;
    const auto number = as_number(*value);
    if (!number)
        notes_->add(where(name), name + ": " + value->describe() + " is no number to Prosody");
    return number;
}

std::optional<std::vector<std::string>> ProsodyOptions::list(const std::string& name) const {
    const ProsodyOption* option = find(name);
    if (option == nullptr) return std::nullopt;
    if (std::holds_alternative<LuaUnknown>(option->value.value)) {
        notes_->add(option->where, name + ": cannot be carried over, since its value is " +
                                       option->value.describe());
        return std::nullopt;
    }
    return texts_of(name, *option);
}

std::vector<std::string> ProsodyOptions::texts_of(const std::string& name,
                                                  const ProsodyOption& option) const {
    std::vector<std::string> texts;
    const auto take = [&](const LuaValue& value) {
        if (auto text = as_text(value)) {
            texts.push_back(std::move(*text));
        } else {
            notes_->add(option.where, name + ": " + value.describe() + " is left out");
        }
    };
    if (const auto* table = std::get_if<LuaTable>(&option.value.value)) {
        for (const LuaValue& value : table->list) take(value);
    } else {
        take(option.value);
    }
    return texts;
}

}  // namespace stanzagate::config
