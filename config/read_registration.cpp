// [registration] and [host.registration], key by key. What they mean together is decided in
// resolve_registration.cpp.
#include <algorithm>
#include <string>

#include "config/host_name.hpp"
#include "config/readers.hpp"

namespace stanzagate::config {
namespace {

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_letter(char c) {
    return is_alphanumeric(c) && !(c >= '0' && c <= '9');
}

// Has the shape of RFC 5646, section 2.1; whether its subtags are registered is not looked up.
bool is_language_tag(std::string_view tag) {
    bool first = true;
    bool single = false;  // the last subtag was one character, which announces another
    for (std::size_t dash = 0; dash != std::string_view::npos; first = false) {
        dash = tag.find('-');
        const std::string_view subtag = tag.substr(0, dash);
        if (dash != std::string_view::npos) tag.remove_prefix(dash + 1);
        if (subtag.empty() || subtag.size() > 8) return false;
        if (!std::ranges::all_of(subtag, is_alphanumeric)) return false;
        if (first && !std::ranges::all_of(subtag, is_letter)) return false;
        single = subtag.size() == 1;
        if (first && single && subtag != "x" && subtag != "X" && subtag != "i" && subtag != "I")
            return false;
    }
    return !single;
}

// RFC 7622 without its Unicode tables: enough to catch a slip.
bool is_bare_jid(std::string_view text) {
    const std::size_t at = text.find('@');
    if (at == std::string_view::npos || at == 0 || at + 1 == text.size()) return false;
    const auto is_wrong = [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f ||
               std::string_view("\"&'/:<>@").find(c) != std::string_view::npos;
    };
    const std::string_view domain = text.substr(at + 1);
    return std::ranges::none_of(text.substr(0, at), is_wrong) &&
           std::ranges::none_of(domain, is_wrong);
}

// What is wrong with it has been reported where it is nullopt.
std::optional<TextTemplate> read_template(Section& section, std::string_view key,
                                          const std::string& text, const Position& where) {
    if (text.empty()) {
        section.error(key, where, "an empty text; leave the key out to have one generated");
        return std::nullopt;
    }
    if (!is_xml_text(text)) {
        section.error(key, where, in_quotes(text) + " has a character that XML cannot carry");
        return std::nullopt;
    }
    auto parsed = TextTemplate::parse(text);
    if (auto* wrong = std::get_if<std::string>(&parsed)) {
        section.error(key, where, std::move(*wrong));
        return std::nullopt;
    }
    return std::move(std::get<TextTemplate>(parsed));
}

// One language of a text table. False where something is wrong with it.
bool read_language(Section& table, const TomlEntry& entry, RegistrationTexts& texts) {
    const auto same = [&](const auto& text) {
        return ascii_lower(text.first) == ascii_lower(entry.key);
    };
    if (!is_language_tag(entry.key)) {
        table.error(entry.key, entry.key_where,
                    in_quotes(entry.key) +
                        " is not a language tag; write one as in \"en\", \"pt-BR\" "
                        "or \"zh-Hant\"");
        return false;
    }
    if (std::ranges::any_of(texts, same)) {
        table.error(entry.key, entry.key_where, "this language has a text already");
        return false;
    }
    const auto* text = std::get_if<std::string>(&entry.value.value);
    if (text == nullptr) {
        table.error(entry.key, "expected a string, found " + entry.value.describe());
        return false;
    }
    auto parsed = read_template(table, entry.key, *text, entry.value.where);
    if (!parsed) return false;
    texts.emplace_back(entry.key, std::move(*parsed));
    return true;
}

std::optional<RegistrationTexts> read_texts(Section& section) {
    RegistrationTexts texts;
    if (section.is_table("text")) {
        auto table = section.table("text");
        bool right = true;
        for (const TomlEntry& entry : table->entries())
            right = read_language(*table, entry, texts) && right;
        if (table->entries().empty()) {
            section.error("text", "an empty table; give at least one language");
            right = false;
        }
        if (!right) return std::nullopt;
        return texts;
    }
    std::string text;
    if (!section.string("text", text,
                        "a string, or a table of them by language, as in { en = \"...\", de = "
                        "\"...\" }"))
        return std::nullopt;
    auto parsed = read_template(section, "text", text, section.where("text"));
    if (!parsed) return std::nullopt;
    texts.emplace_back("", std::move(*parsed));
    return texts;
}

std::optional<std::vector<std::string>> read_admins(Section& section) {
    std::vector<Located<std::string>> texts;
    bool right = section.strings("admins", texts);
    std::vector<std::string> admins;
    for (auto& [text, where] : texts) {
        if (is_bare_jid(text) && is_xml_text(text)) {
            admins.push_back(std::move(text));
        } else {
            section.error(
                "admins", where,
                in_quotes(text) + " is not a bare JID; write it as in \"admin@example.org\"");
            right = false;
        }
    }
    if (!right) return std::nullopt;
    return admins;
}

// A key that `read` reads; read(value) is true where it is right.
template <class T, class Read>
std::optional<Given<T>> given(Section& section, std::string_view key, Read read) {
    if (!section.has(key)) return std::nullopt;
    Given<T> result{.value = T{}, .where = section.where(key), .key = section.dotted(key)};
    if (!read(*result.value)) result.value.reset();
    return result;
}

}  // namespace

RegistrationKeys read_answer(Section& section) {
    RegistrationKeys keys;
    if (section.has("url")) keys.url = read_registration_url(section, "url");
    if (section.has("text"))
        keys.text = Given<RegistrationTexts>{.value = read_texts(section),
                                             .where = section.where("text"),
                                             .key = section.dotted("text")};
    keys.oob = given<bool>(section, "oob", [&](bool& oob) { return section.boolean("oob", oob); });
    keys.refusal = given<Refusal>(section, "refusal", [&](Refusal& refusal) {
        return section.choice("refusal", refusal,
                              {{"not-authorized", Refusal::not_authorized},
                               {"not-allowed", Refusal::not_allowed},
                               {"forbidden", Refusal::forbidden},
                               {"not-acceptable", Refusal::not_acceptable}});
    });
    return keys;
}

RegistrationKeys read_registration(Section section) {
    RegistrationKeys keys = read_answer(section);
    keys.table = section.where();
    keys.whitelist = given<std::vector<Network>>(section, "whitelist", [&](auto& networks) {
        networks = read_networks(section, "whitelist");
        return true;
    });
    if (section.has("admins"))
        keys.admins = Given<std::vector<std::string>>{.value = read_admins(section),
                                                      .where = section.where("admins"),
                                                      .key = section.dotted("admins")};
    keys.advertise = given<Advertise>(section, "advertise", [&](Advertise& advertise) {
        return section.choice("advertise", advertise,
                              {{"auto", Advertise::automatic},
                               {"upstream", Advertise::upstream},
                               {"always", Advertise::always},
                               {"never", Advertise::never}});
    });
    keys.rules = given<std::vector<Located<std::string>>>(section, "rules", [&](auto& patterns) {
        // Where one of them is wrong, the others are read all the same.
        section.strings("rules", patterns);
        return true;
    });
    section.finish();
    return keys;
}

}  // namespace stanzagate::config
