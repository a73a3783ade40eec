#include "config/import/redirect_settings.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "config/address.hpp"
#include "config/host_name.hpp"
#include "config/import/toml_text.hpp"
#include "config/load.hpp"

namespace stanzagate::config {
namespace {

constexpr const char* fails = "mod_register_redirect answers internal-server-error with this";

// Only the spelling in which Prosody writes a client's address is ever found: it compares texts.
void take_address(const std::string& text, const Position& where, RedirectSettings& settings,
                  ImportNotes& notes) {
    const auto never = [&](const std::string& why) {
        notes.add(where, "registration_whitelist: " + in_quotes(text) +
                             " lets nobody pass in mod_register_redirect, which compares whole "
                             "addresses as texts; " +
                             why);
    };
    if (const auto address = Address::parse(text)) {
        if (address->to_string() == text) {
            settings.whitelist.push_back(text);
        } else {
            never("add " + toml_string(address->to_string()) + " to whitelist if it is to");
        }
    } else if (const auto network = Network::enclosing(text)) {
        never("add " + toml_string(network->to_string()) + " to whitelist if this network is to");
    } else {
        never("it is not an address");
    }
}

// The name that Prosody gives the option today, and the module does not know. Where it stands alone
// there is no doubt what its writer wants, so it is carried over: mod_register_limits, which does
// read it, takes networks too.
void take_allowlist(const std::vector<std::string>& texts, const Position& where,
                    RedirectSettings& settings, ImportNotes& notes) {
    for (const std::string& text : texts) {
        if (const auto network = Network::enclosing(text))
            settings.whitelist.push_back(network->to_string());
        else
            notes.add(where, "registration_allowlist: " + in_quotes(text) +
                                 " is not an address or a network");
    }
    notes.add(where,
              "registration_allowlist is carried over as the whitelist; mod_register_redirect "
              "never read it (it reads registration_whitelist, whose default is 127.0.0.1 and "
              "::1)");
}

void take_whitelist(const ProsodyOptions& options, RedirectSettings& settings, ImportNotes& notes) {
    if (options.boolean("no_registration_whitelist", false)) return;
    const auto texts = options.list("registration_whitelist");
    const auto newer = options.list("registration_allowlist");
    if (texts) {
        for (const std::string& text : *texts)
            take_address(text, options.where("registration_whitelist"), settings, notes);
    } else if (newer) {
        take_allowlist(*newer, options.where("registration_allowlist"), settings, notes);
    } else {
        settings.whitelist = {"127.0.0.1", "::1"};
    }
    if (texts && newer && newer != texts)
        notes.add(options.where("registration_allowlist"),
                  "registration_allowlist is read by mod_register_limits only; "
                  "mod_register_redirect reads registration_whitelist. Where these are to register "
                  "in band: whitelist = " +
                      toml_list(*newer));
}

// What the module takes for a scheme: letters and digits before a colon. As written.
std::optional<std::string> scheme_of(const std::string& url) {
    const std::size_t colon = url.find(':');
    if (colon == std::string::npos || colon == 0) return std::nullopt;
    std::string scheme = url.substr(0, colon);
    const bool words = std::ranges::all_of(
        scheme, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; });
    if (!words) return std::nullopt;
    return scheme;
}

bool has_generated_text(const std::string& scheme) {
    return scheme == "http" || scheme == "https" || scheme == "mailto" || scheme == "xmpp";
}

std::string contact(const std::string& whom) {
    return "Please contact {host}'s server administrator via xmpp to register an account on this "
           "server at: " +
           without_placeholders(whom);
}

// The module's own text for a url with one of its schemes.
std::string generated_text(const std::string& scheme, const std::string& url) {
    const std::string rest = url.substr(url.find(':') + 1);
    if (scheme == "xmpp") return contact(rest);
    if (scheme == "mailto")
        return "Please send an e-mail at " + without_placeholders(rest) +
               " to register an account on this server.";
    return "Please visit " + without_placeholders(url) + " to register an account on this server.";
}

// RFC 3986: what may stand in a url without being encoded.
std::string percent_encoded(std::string_view url) {
    constexpr std::string_view kept = "-._~:/?#[]@!$&'()*+,;=%";
    std::string out;
    for (const char c : url) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x80 && std::isalnum(byte) != 0) || kept.find(c) != std::string_view::npos) {
            out += c;
            continue;
        }
        char code[4];
        std::snprintf(code, sizeof(code), "%%%02X", static_cast<unsigned>(byte));
        out += code;
    }
    return out;
}

class Answer {
public:
    Answer(const ProsodyOptions& options, RedirectSettings& settings, ImportNotes& notes)
        : options_(options), settings_(settings), notes_(notes) {}

    void take();

private:
    void take_admins();
    void take_text();
    void take_url();
    void take_usable_url(const std::string& url, const std::string& scheme);
    void complete();

    const ProsodyOptions& options_;
    RedirectSettings& settings_;
    ImportNotes& notes_;
    std::optional<std::string> first_admin_;  // whom the module names
};

void Answer::take() {
    settings_.oob = options_.boolean("registration_oob", true);
    take_admins();
    take_text();
    take_url();
    complete();
}

void Answer::take_admins() {
    const auto is_list = [](const ProsodyOption* option) {
        return option != nullptr && std::holds_alternative<LuaTable>(option->value.value);
    };
    const ProsodyOption* admins = options_.find("admins");
    if (admins == nullptr) return;
    if (!is_list(admins))
        notes_.add(admins->where,
                   "admins: mod_register_redirect reads a list only, and takes no notice of " +
                       admins->value.describe());
    if (!is_list(admins) && is_list(options_.find_global("admins")))
        admins = options_.find_global("admins");
    const auto texts = options_.texts_of("admins", *admins);
    if (is_list(admins) && !texts.empty()) first_admin_ = texts.front();
    for (const std::string& text : texts) {
        if (is_accepted("admins", toml_list({text}))) {
            settings_.admins.push_back(text);
        } else {
            notes_.add(admins->where, "admins: " + in_quotes(text) + " is not a bare JID");
        }
    }
}

void Answer::take_text() {
    const auto text = options_.text("registration_text");
    if (!text) return;
    const std::string clean = as_xml_text(*text);
    if (clean.empty()) {
        notes_.add(options_.where("registration_text"),
                   "registration_text: there is nothing in it to show; a text is generated");
        return;
    }
    if (clean != *text)
        notes_.add(options_.where("registration_text"),
                   "registration_text: characters that XML cannot carry are left out");
    settings_.text = without_placeholders(clean);
}

void Answer::take_url() {
    const auto url = options_.text("registration_url");
    if (!url) return;
    const auto scheme = scheme_of(*url);
    if (scheme) {
        take_usable_url(*url, *scheme);
        return;
    }
    notes_.add(options_.where("registration_url"),
               "registration_url: " + in_quotes(*url) + " has no scheme, and is left out" +
                   (settings_.oob ? std::string("; ") + fails : std::string()));
}

void Answer::take_usable_url(const std::string& url, const std::string& scheme) {
    const Position where = options_.where("registration_url");
    const bool generates = settings_.oob && !settings_.text;
    const std::string lower = ascii_lower(scheme);
    if (generates && !has_generated_text(scheme))
        notes_.add(where, std::string("registration_url: ") + fails +
                              (has_generated_text(lower)
                                   ? "; stanzagate takes a scheme in capitals"
                                   : "; without a text, it must be http, https, mailto or xmpp"));
    std::string written = without_placeholders(url);
    bool exact = is_accepted("url", toml_string(written));
    if (!exact) {
        written = percent_encoded(url);
        if (is_accepted("url", toml_string(written))) {
            settings_.url = written;
            notes_.add(where, "registration_url: " + in_quotes(url) +
                                  " is not a valid url, and is written " + toml_string(written));
        } else {
            notes_.add(where, "registration_url: " + in_quotes(url) +
                                  " is not a valid url, and is left out");
        }
    } else {
        settings_.url = written;
    }
    if (!generates) return;
    const std::string shown = as_xml_text(url);
    if (!has_generated_text(lower)) {
        settings_.text = generated_text("http", shown);
    } else if (!exact) {
        settings_.text = generated_text(lower, shown);
    }
}

// A text for those whom the settings so far leave without an answer.
void Answer::complete() {
    if (settings_.text || (settings_.url && settings_.oob)) return;
    if (first_admin_) {
        const bool first = !settings_.admins.empty() && settings_.admins.front() == *first_admin_;
        if (!first) settings_.text = contact(as_xml_text(*first_admin_));
        return;
    }
    notes_.add(options_.where("admins"),
               std::string("registration: no usable registration_url, registration_text or list "
                           "of admins; ") +
                   fails + ", stanzagate refuses it");
    if (settings_.admins.empty()) settings_.text = "Please ask the administrator of {host}.";
}

}  // namespace

RedirectSettings redirect_settings(const ProsodyOptions& options, ImportNotes& notes) {
    RedirectSettings settings;
    take_whitelist(options, settings, notes);
    Answer(options, settings, notes).take();
    return settings;
}

// Asks those who read it in earnest.
bool is_accepted(std::string_view key, std::string_view toml_value) {
    const std::string beside = key == "text" ? "" : "text = \"x\"\n";
    const std::string document =
        "[[listen]]\naddress = \"127.0.0.1:0\"\ntls = \"none\"\n[[host]]\nname = \"a.example\"\n"
        "upstream = \"tcp://192.0.2.1:1\"\n[registration]\n" +
        beside + std::string(key) + " = " + std::string(toml_value) + '\n';
    Diagnostics ignored;
    return load_text(document, "", ignored).has_value();
}

}  // namespace stanzagate::config
