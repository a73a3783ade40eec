#include "config/section.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "config/nearest_word.hpp"
#include "config/units.hpp"

namespace stanzagate::config {
namespace {

// `"a", "b" or "c"`
std::string alternatives(std::span<const std::string> words) {
    std::vector<std::string> quoted;
    quoted.reserve(words.size());
    for (const std::string& word : words) quoted.push_back('"' + word + '"');
    return enumeration(quoted, " or ");
}

std::string outside(const std::string& least, const std::string& most, const std::string& found) {
    return "must be between " + least + " and " + most + ", not " + found;
}

}  // namespace

Section::Section(const TomlTable& table, Position where, std::string path, Reading& reading)
    : table_(&table), where_(std::move(where)), path_(std::move(path)), reading_(&reading) {}

const TomlValue* Section::find(std::string_view key) {
    if (std::ranges::find(known_, key) == known_.end()) {
        known_.emplace_back(key);
        reading_->known_keys.insert(dotted(key));
    }
    const TomlEntry* entry = table_->find(key);
    return entry == nullptr ? nullptr : &entry->value;
}

bool Section::has(std::string_view key) {
    return find(key) != nullptr;
}

Position Section::where(std::string_view key) const {
    const TomlEntry* entry = table_->find(key);
    return entry == nullptr ? where_ : entry->value.where;
}

std::string Section::dotted(std::string_view key) const {
    if (path_.empty()) return one_line(key);
    return key.empty() ? path_ : path_ + '.' + one_line(key);
}

template <class T>
const T* Section::expect(std::string_view key, std::string_view what) {
    const TomlValue* found = find(key);
    if (found == nullptr) return nullptr;
    const T* value = std::get_if<T>(&found->value);
    if (value == nullptr)
        error(key, "expected " + std::string(what) + ", found " + found->describe());
    return value;
}

bool Section::boolean(std::string_view key, bool& to) {
    const bool* value = expect<bool>(key, "true or false");
    if (value != nullptr) to = *value;
    return value != nullptr;
}

bool Section::string(std::string_view key, std::string& to, std::string_view what) {
    const auto* value = expect<std::string>(key, what);
    if (value != nullptr) to = *value;
    return value != nullptr;
}

bool Section::path(std::string_view key, std::filesystem::path& to) {
    const auto* value = expect<std::string>(key, "the path of a file");
    return value != nullptr && path_of(key, *value, where(key), to);
}

bool Section::path_of(std::string_view key, const std::string& written, const Position& where,
                      std::filesystem::path& to) {
    if (written.empty() || written.find('\0') != std::string::npos) {
        error(key, where, in_quotes(written) + " is not the path of a file");
        return false;
    }
    to = reading_->folder / written;  // an absolute path replaces the folder
    return true;
}

bool Section::paths(std::string_view key, std::vector<Located<std::filesystem::path>>& to) {
    std::vector<Located<std::string>> written;
    bool right = strings(key, written);
    if (!written.empty()) to.clear();
    for (const auto& text : written) {
        std::filesystem::path path;
        if (path_of(key, text.value, text.where, path))
            to.push_back({std::move(path), text.where});
        else
            right = false;
    }
    return right;
}

const std::string* Section::expect_quantity(std::string_view key, std::string_view what,
                                            std::string_view unit) {
    const TomlValue* found = find(key);
    if (found == nullptr) return nullptr;
    if (const auto* number = std::get_if<std::int64_t>(&found->value)) {
        const std::string digits = std::to_string(*number);
        error(key, "a bare number has no unit; expected " + std::string(what) + ", as in \"" +
                       digits + std::string(unit) + "\", found " + digits);
        return nullptr;
    }
    return expect<std::string>(key, what);
}

bool Section::duration(std::string_view key, std::chrono::milliseconds& to,
                       Range<std::chrono::milliseconds> range) {
    const std::string* text = expect_quantity(key, "a duration", "s");
    if (text == nullptr) return false;
    auto parsed = parse_duration(*text);
    if (auto* wrong = std::get_if<std::string>(&parsed)) {
        error(key, std::move(*wrong));
        return false;
    }
    const auto value = std::get<std::chrono::milliseconds>(parsed);
    if (value < range.least || value > range.most) {
        error(key,
              outside(duration_text(range.least), duration_text(range.most), in_quotes(*text)));
        return false;
    }
    to = value;
    return true;
}

bool Section::size(std::string_view key, std::size_t& to, Range<std::size_t> range) {
    const std::string* text = expect_quantity(key, "a size", "B");
    if (text == nullptr) return false;
    auto parsed = parse_size(*text);
    if (auto* wrong = std::get_if<std::string>(&parsed)) {
        error(key, std::move(*wrong));
        return false;
    }
    const auto value = std::get<std::size_t>(parsed);
    if (value < range.least || value > range.most) {
        error(key, outside(size_text(range.least), size_text(range.most), in_quotes(*text)));
        return false;
    }
    to = value;
    return true;
}

bool Section::rate(std::string_view key, double& to) {
    constexpr double fastest = 1'000'000;
    const std::string* text = expect_quantity(key, "a rate", "/s");
    if (text == nullptr) return false;
    auto parsed = parse_rate(*text);
    if (auto* wrong = std::get_if<std::string>(&parsed)) {
        error(key, std::move(*wrong));
        return false;
    }
    const auto value = std::get<double>(parsed);
    if (value <= 0 || value > fastest) {
        error(key, outside("1/h", "1000000/s", in_quotes(*text)));
        return false;
    }
    to = value;
    return true;
}

bool Section::integer(std::string_view key, std::int64_t& to, Range<std::int64_t> range) {
    const auto* value = expect<std::int64_t>(key, "a whole number");
    if (value == nullptr) return false;
    if (*value < range.least || *value > range.most) {
        error(key, outside(std::to_string(range.least), std::to_string(range.most),
                           std::to_string(*value)));
        return false;
    }
    to = *value;
    return true;
}

std::optional<std::size_t> Section::index(std::string_view key,
                                          std::span<const std::string> words) {
    const auto* value = expect<std::string>(key, alternatives(words));
    if (value == nullptr) return std::nullopt;
    return index_of(key, {.value = *value, .where = where(key)}, words);
}

std::optional<std::size_t> Section::index_of(std::string_view key,
                                             const Located<std::string>& written,
                                             std::span<const std::string> words) {
    const auto found = std::ranges::find(words, written.value);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    error(key, written.where,
          "must be " + alternatives(words) + ", not " + in_quotes(written.value) +
              did_you_mean(written.value, words));
    return std::nullopt;
}

bool Section::indexes(std::string_view key, std::vector<std::size_t>& to,
                      std::span<const std::string> words) {
    std::vector<Located<std::string>> written;
    bool right = strings(key, written);
    for (const auto& word : written) {
        const auto found = index_of(key, word, words);
        if (found) to.push_back(*found);
        right = right && found.has_value();
    }
    return right;
}

bool Section::strings(std::string_view key, std::vector<Located<std::string>>& to) {
    const TomlValue* found = find(key);
    if (found == nullptr) return false;
    if (const auto* text = std::get_if<std::string>(&found->value)) {
        to = {{.value = *text, .where = found->where}};
        return true;
    }
    const auto* list = expect<TomlArray>(key, "a string or a list of strings");
    if (list == nullptr) return false;
    to.clear();
    for (const TomlValue& element : *list) {
        if (const auto* text = std::get_if<std::string>(&element.value)) {
            to.push_back({.value = *text, .where = element.where});
        } else {
            error(key, element.where,
                  "expected a string in this list, found " + element.describe());
        }
    }
    return to.size() == list->size();
}

bool Section::is_table(std::string_view key) {
    const TomlValue* found = find(key);
    return found != nullptr && std::holds_alternative<TomlTable>(found->value);
}

bool Section::is_list(std::string_view key) {
    const TomlValue* found = find(key);
    return found != nullptr && std::holds_alternative<TomlArray>(found->value);
}

std::optional<Section> Section::table(std::string_view key) {
    const auto* value = expect<TomlTable>(key, "a table");
    if (value == nullptr) return std::nullopt;
    return Section(*value, where(key), dotted(key), *reading_);
}

std::vector<Section> Section::tables(std::string_view key) {
    std::vector<Section> sections;
    const std::string brackets = "[[" + dotted(key) + "]]";
    if (is_table(key)) {
        error(key, "there may be several of these: write " + brackets + " in double brackets");
        return sections;
    }
    const auto* list = expect<TomlArray>(key, brackets + " tables");
    if (list == nullptr) return sections;
    if (list->empty()) error(key, "an empty list; write at least one " + brackets);
    for (const TomlValue& element : *list) {
        if (const auto* table = std::get_if<TomlTable>(&element.value)) {
            sections.push_back(Section(*table, element.where, dotted(key), *reading_));
        } else {
            error(key, element.where, "expected a table, found " + element.describe());
        }
    }
    return sections;
}

std::span<const TomlEntry> Section::entries() {
    return table_->entries;
}

void Section::unsupported(std::string_view key) {
    refused(key, "not supported in this build");
}

void Section::refused(std::string_view key, std::string_view why) {
    reading_->refused_keys.insert(dotted(key));
    if (has(key)) error(key, table_->find(key)->key_where, std::string(why));
}

void Section::missing(std::string_view key, std::string_view why) {
    error(key, where_, "missing; " + std::string(why));
}

void Section::error(std::string_view key, std::string message) {
    error(key, where(key), std::move(message));
}

void Section::error(std::string_view key, Position where, std::string message) {
    reading_->diagnostics.error(std::move(where), dotted(key) + ": " + std::move(message));
}

void Section::warning(std::string_view key, Position where, std::string message) {
    reading_->diagnostics.warning(std::move(where), dotted(key) + ": " + std::move(message));
}

void Section::finish() {
    for (const TomlEntry& entry : table_->entries) {
        if (std::ranges::find(known_, entry.key) != known_.end()) continue;
        error(entry.key, entry.key_where, "unknown key" + instead_of(entry.key));
    }
}

std::string Section::instead_of(std::string_view key) const {
    std::vector<std::string> taken = known_;
    std::erase_if(taken, [&](const std::string& one) {
        return reading_->refused_keys.contains(dotted(one));
    });
    std::string hint = did_you_mean(key, taken);
    if (hint.empty()) hint = where_it_belongs(key, reading_->file, path_);
    if (!hint.empty()) return hint;
    const std::string here = path_.empty() ? "here" : "in " + path_;
    if (taken.size() == 1) return "; the only key " + here + " is " + taken.front();
    return "; the keys " + here + " are " + enumeration(taken, " and ");
}

}  // namespace stanzagate::config
