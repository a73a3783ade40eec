#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.hpp"
#include "config/key_places.hpp"
#include "config/toml_value.hpp"

namespace stanzagate::config {

// What all sections of one reading share.
struct Reading {
    Diagnostics& diagnostics;
    std::filesystem::path folder;          // relative paths start here
    std::set<std::string> known_keys{};    // dotted, every key that a reader asked for
    std::set<std::string> refused_keys{};  // of these, the ones not supported in this build
    ConfigFile file = ConfigFile::main;    // which kind is read
};

template <class T>
struct Located {
    T value;
    Position where;
};

template <class T>
struct Range {
    T least;
    T most;
};

// A word of a closed set, and what it stands for.
template <class E>
struct Word {
    std::string_view name;
    E value;
};

// Typed reads from one TOML table. Every read notes its key; finish() then reports the keys that
// nobody read.
//   reads* finish()
// A read stores into its last argument and returns true only where the key is there and right.
// Where it is absent, nothing happens; where it is wrong, that is an error in `diagnostics` and
// the old value stays. Views the table and the Reading, which outlive it.
class Section {
public:
    // `path` is the dotted name for messages, empty for the document; `where` is the table's place.
    Section(const TomlTable& table, Position where, std::string path, Reading& reading);

    bool has(std::string_view key);
    // Of the key's value, or of the table where the key is absent.
    Position where(std::string_view key) const;
    const Position& where() const { return where_; }
    std::string dotted(std::string_view key) const;
    Reading& reading() const { return *reading_; }

    bool boolean(std::string_view key, bool& to);
    // `what` is what to expect, for messages.
    bool string(std::string_view key, std::string& to, std::string_view what = "a string");
    // A path; relative ones are relative to the configuration's folder.
    bool path(std::string_view key, std::filesystem::path& to);
    // The same, or a list of paths, as strings() has it.
    bool paths(std::string_view key, std::vector<Located<std::filesystem::path>>& to);
    bool duration(std::string_view key, std::chrono::milliseconds& to,
                  Range<std::chrono::milliseconds> range);
    bool size(std::string_view key, std::size_t& to, Range<std::size_t> range);
    bool rate(std::string_view key, double& to);
    template <class Integer>
    bool count(std::string_view key, Integer& to, Range<Integer> range);
    template <class E>
    bool choice(std::string_view key, E& to, std::initializer_list<Word<E>> words);
    // A word or a list of words.
    template <class E>
    bool choices(std::string_view key, std::vector<E>& to, std::initializer_list<Word<E>> words);
    // A string or a list of strings. An element of another type is reported and makes the read
    // false, but the strings are stored all the same so that they can be checked too.
    bool strings(std::string_view key, std::vector<Located<std::string>>& to);

    bool is_table(std::string_view key);
    bool is_list(std::string_view key);
    std::optional<Section> table(std::string_view key);
    // An array of tables, [[key]].
    std::vector<Section> tables(std::string_view key);
    // The keys of a table whose keys are not ours to know, in the order written.
    std::span<const TomlEntry> entries();

    // A key that the documentation knows and this build does not.
    void unsupported(std::string_view key);
    // A key that is known, but not to stand here.
    void refused(std::string_view key, std::string_view why);
    // Reports the key's absence, `why` telling what it is for.
    void missing(std::string_view key, std::string_view why);
    void error(std::string_view key, std::string message);
    void error(std::string_view key, Position where, std::string message);
    void warning(std::string_view key, Position where, std::string message);

    void finish();

private:
    const TomlValue* find(std::string_view key);
    // What a key that nobody read may have been meant to be, for messages.
    std::string instead_of(std::string_view key) const;
    bool path_of(std::string_view key, const std::string& written, const Position& where,
                 std::filesystem::path& to);
    template <class T>
    const T* expect(std::string_view key, std::string_view what);
    // The text of a quantity; a bare number is told how to be written.
    const std::string* expect_quantity(std::string_view key, std::string_view what,
                                       std::string_view unit);
    bool integer(std::string_view key, std::int64_t& to, Range<std::int64_t> range);
    std::optional<std::size_t> index(std::string_view key, std::span<const std::string> words);
    std::optional<std::size_t> index_of(std::string_view key, const Located<std::string>& written,
                                        std::span<const std::string> words);
    bool indexes(std::string_view key, std::vector<std::size_t>& to,
                 std::span<const std::string> words);

    const TomlTable* table_;
    Position where_;
    std::string path_;
    Reading* reading_;
    std::vector<std::string> known_;
};

template <class Integer>
bool Section::count(std::string_view key, Integer& to, Range<Integer> range) {
    std::int64_t value = 0;
    if (!integer(key, value,
                 {static_cast<std::int64_t>(range.least), static_cast<std::int64_t>(range.most)}))
        return false;
    to = static_cast<Integer>(value);
    return true;
}

template <class E>
bool Section::choice(std::string_view key, E& to, std::initializer_list<Word<E>> words) {
    std::vector<std::string> names;
    for (const Word<E>& word : words) names.emplace_back(word.name);
    const auto chosen = index(key, names);
    if (!chosen) return false;
    to = (words.begin() + *chosen)->value;
    return true;
}

template <class E>
bool Section::choices(std::string_view key, std::vector<E>& to,
                      std::initializer_list<Word<E>> words) {
    std::vector<std::string> names;
    for (const Word<E>& word : words) names.emplace_back(word.name);
    std::vector<std::size_t> chosen;
    const bool right = indexes(key, chosen, names);
    to.clear();
    for (const std::size_t place : chosen) to.push_back((words.begin() + place)->value);
    return right;
}

}  // namespace stanzagate::config
