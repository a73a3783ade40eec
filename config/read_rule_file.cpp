// A rule file: [lists] and [[rule]].
#include <algorithm>
#include <string>

#include "config/readers.hpp"
#include "config/rule_keys.hpp"
#include "config/text_file.hpp"

namespace stanzagate::config {
namespace {

bool is_list_name(std::string_view name) {
    return !name.empty() && !name.starts_with('@') && std::ranges::none_of(name, [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    });
}

NamedList read_named_list(Section& lists, const TomlEntry& entry) {
    NamedList list{
        .name = entry.key, .networks = {}, .file = std::nullopt, .where = entry.value.where};
    if (!is_list_name(entry.key))
        lists.error(entry.key, entry.key_where,
                    "rules could not name this list; give it a name without spaces, as in "
                    "office = [\"192.0.2.0/24\"]");
    if (!lists.is_table(entry.key)) {
        const std::size_t found_before = lists.reading().diagnostics.all().size();
        list.networks = read_networks(lists, entry.key);
        if (list.networks.empty() && lists.reading().diagnostics.all().size() == found_before)
            lists.warning(entry.key, list.where, "an empty list, in which nobody is");
        return list;
    }
    auto table = lists.table(entry.key);
    if (table->has("file")) {
        table->path("file", list.file.emplace());
        list.where = table->where("file");
    } else {
        table->missing("file", "where the addresses are, as in { file = \"spam.txt\" }");
    }
    table->finish();
    return list;
}

}  // namespace

RuleFile read_rule_file(const std::filesystem::path& file, std::vector<NamedList>& lists,
                        Diagnostics& diagnostics) {
    RuleFile result;
    result.file = file;
    const auto text = read_text_file(file, "the rule file", diagnostics);
    if (!text) return result;
    const Position whole{.file = file.string()};
    const auto document = parse_toml(*text, whole.file, diagnostics);
    if (!document) return result;
    result.understood = true;

    Reading reading{
        .diagnostics = diagnostics, .folder = file.parent_path(), .file = ConfigFile::rules};
    Section root(std::get<TomlTable>(document->value), whole, "", reading);
    if (auto table = root.table("lists")) {
        for (const TomlEntry& entry : table->entries()) {
            result.lists.push_back(lists.size());
            lists.push_back(read_named_list(*table, entry));
        }
    }
    for (Section& rule : root.tables("rule")) result.rules.push_back(read_rule(std::move(rule)));
    root.finish();
    return result;
}

}  // namespace stanzagate::config
