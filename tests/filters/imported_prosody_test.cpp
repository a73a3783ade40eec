// What mod_register_redirect answers with some options, and the gate with what is imported of them.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

#include "filters/policy.hpp"
#include "filters/registration.hpp"
#include "filters/xml_escape.hpp"
#include "tests/config/import/prosody_folder.hpp"
#include "tests/config/named_case.hpp"
#include "tests/filters/test_config.hpp"
#include "tests/filters/test_world.hpp"

namespace stanzagate::filters {
namespace {

constexpr std::string_view local = "127.0.0.1";

struct Row {
    const char* name;
    std::string_view options;  // within the VirtualHost h.test
    std::string_view instructions;
    std::string_view url;  // in the oob element; empty: there is none
    std::string_view warning = "";
    std::string_view global = "";
};

void PrintTo(const Row& row, std::ostream* out) {
    *out << row.options;
}

config::Config imported(config::ProsodyFolder& folder, std::string_view global,
                        std::string_view options) {
    std::string text =
        "modules_enabled = { 'register', 'register_redirect' }\n"
        "allow_registration = true\n";
    text += global;
    text += "\nVirtualHost 'h.test'\n";
    text += options;
    return folder.imported(text);
}

std::string reply(const config::Config& config, RequestKind kind) {
    const Policy policy(config);
    const Peer peer = peer_at(stranger);
    const Decision decision = policy.decide(
        {.host = "h.test", .other_domain = std::nullopt, .peer = peer, .kind = kind}, TestWorld());
    EXPECT_EQ(decision.action, Action::redirect);
    RegistrationRequest request;
    request.kind = kind;
    request.id = "1";
    return answer(request, decision, {"h.test", "", peer});
}

class ImportedProsody : public testing::TestWithParam<Row> {};

TEST_P(ImportedProsody, IsAnsweredAlike) {
    const Row& row = GetParam();
    config::ProsodyFolder folder;
    const config::Config config = imported(folder, row.global, row.options);
    const std::string get = reply(config, RequestKind::get);
    EXPECT_NE(get.find("<instructions>" + xml_escape(row.instructions) + "</instructions>"),
              std::string::npos)
        << get;
    const bool has_oob = get.find("jabber:x:oob") != std::string::npos;
    EXPECT_EQ(has_oob, !row.url.empty()) << get;
    if (has_oob) {
        EXPECT_NE(get.find("<url>" + xml_escape(row.url) + "</url>"), std::string::npos) << get;
    }
    EXPECT_NE(reply(config, RequestKind::set).find("<error type='cancel'><not-authorized"),
              std::string::npos);
    if (row.warning.empty()) {
        EXPECT_EQ(folder.said().find("registr"), std::string::npos) << folder.said();
    } else {
        EXPECT_NE(folder.said().find(row.warning), std::string::npos) << folder.said();
    }
}

constexpr std::string_view fails = "answers internal-server-error";

#define CONTACT                                                                                    \
    "Please contact h.test's server administrator via xmpp to register an account on this server " \
    "at: "

INSTANTIATE_TEST_SUITE_P(
    Reference, ImportedProsody,
    testing::Values(
        Row{"web", "registration_url = 'https://example.org/register?a=1&b=2'",
            "Please visit https://example.org/register?a=1&b=2 to register an account on this "
            "server.",
            "https://example.org/register?a=1&b=2"},
        Row{"mail", "registration_url = 'mailto:reg@example.org'",
            "Please send an e-mail at reg@example.org to register an account on this server.",
            "mailto:reg@example.org"},
        Row{"chat", "registration_url = 'xmpp:admin@example.org'", CONTACT "admin@example.org",
            "xmpp:admin@example.org"},
        Row{"text_and_url", "registration_text = 'T & <t>' registration_url = 'https://a.test/'",
            "T & <t>", "https://a.test/"},
        Row{"text_and_ftp", "registration_text = 'T' registration_url = 'ftp://x'", "T", "ftp://x"},
        Row{"text_without_oob",
            "registration_text = 'T' registration_url = 'https://a.test/' registration_oob = false",
            "T", ""},
        Row{"no_oob", "registration_oob = false admins = { 'first@a.test', 'second@a.test' }",
            CONTACT "first@a.test", ""},
        Row{"no_oob_with_url",
            "registration_oob = false registration_url = 'https://a.test/' "
            "admins = { 'first@a.test' }",
            CONTACT "first@a.test", ""},
        Row{"admins", "admins = { 'first@a.test', 'second@a.test' }", CONTACT "first@a.test", ""},
        Row{"text", "registration_text = 'T'", "T", ""},
        Row{"global_admin", "", CONTACT "chief@a.test", "", "", "admins = { 'chief@a.test' }"},
        Row{"own_admin", "admins = { 'own@a.test' }", CONTACT "own@a.test", "", "",
            "admins = { 'chief@a.test' }"},
        Row{"global_options", "", "T", "https://a.test/", "",
            "registration_text = 'T' registration_url = 'https://a.test/'"},
        Row{"own_options", "registration_text = 'T' registration_oob = true", "T",
            "https://a.test/", "",
            "registration_text = 'G' registration_url = 'https://a.test/' "
            "registration_oob = false"}),
    config::NamedCase{});

// In the last column of the reference the module fails; here a client gets something sensible.
INSTANTIATE_TEST_SUITE_P(
    Failures, ImportedProsody,
    testing::Values(
        Row{"ftp", "registration_url = 'ftp://foo'",
            "Please visit ftp://foo to register an account on this server.", "ftp://foo", fails},
        Row{"capitals", "registration_url = 'HTTPS://x.test/'",
            "Please visit HTTPS://x.test/ to register an account on this server.",
            "HTTPS://x.test/", fails},
        Row{"noscheme", "registration_url = 'noscheme'", "Please ask the administrator of h.test.",
            "", fails},
        Row{"noscheme_with_admins", "registration_url = 'noscheme' admins = { 'a@a.test' }",
            CONTACT "a@a.test", "", fails},
        Row{"text_noscheme", "registration_url = 'noscheme' registration_text = 'T'", "T", "",
            fails},
        Row{"nothing", "", "Please ask the administrator of h.test.", "", fails},
        Row{"no_admins", "admins = { }", "Please ask the administrator of h.test.", "", fails}),
    config::NamedCase{});

INSTANTIATE_TEST_SUITE_P(
    Oddities, ImportedProsody,
    testing::Values(
        Row{"misspelt", "registrarion_url = 'https://a.test/' admins = { 'a@a.test' }",
            CONTACT "a@a.test", "", "mod_register_redirect never read this"},
        Row{"braces", "registration_text = 'a {host} {{ }} {' ", "a {host} {{ }} {", ""},
        Row{"braces_in_url", "registration_url = 'https://a.test/{host}'",
            "Please visit https://a.test/{host} to register an account on this server.",
            "https://a.test/%7Bhost%7D", "is not a valid url"},
        Row{"list_for_text", "registration_text = { 'T', 'U' }", "T", "",
            "reads its first value only"},
        Row{"list_of_nothing", "registration_text = {} registration_url = 'https://a.test/'",
            "Please visit https://a.test/ to register an account on this server.",
            "https://a.test/", "", "registration_text = 'G'"},
        Row{"number_for_text", "registration_text = 12", "12", ""},
        Row{"text_for_boolean",
            "registration_oob = 'false' registration_url = 'https://a.test/' "
            "registration_text = 'T'",
            "T", ""},
        Row{"odd_boolean",
            "registration_oob = 'yes' registration_url = 'https://a.test/' registration_text = 'T'",
            "T", "", "neither true nor false"},
        Row{"string_for_admins", "admins = 'a@a.test'", CONTACT "chief@a.test", "",
            "reads a list only", "admins = { 'chief@a.test' }"},
        Row{"admin_that_is_no_jid", "admins = { 'the boss', 'a@a.test' }", CONTACT "the boss", "",
            "is not a bare JID"},
        Row{"controls", "registration_text = 'a\\1\\255\\tb'", "a\xef\xbf\xbd\tb", "",
            "characters that XML cannot carry"},
        Row{"quotes", "registration_text = [[\"\\ ]] .. \"'\\n\"", "\"\\ '\n", ""}),
    config::NamedCase{});

struct WhitelistRow {
    const char* name;
    std::string_view options;
    std::string_view address;
    Action action;
    std::string_view global = "";
};

void PrintTo(const WhitelistRow& row, std::ostream* out) {
    *out << row.options;
}

class ImportedWhitelist : public testing::TestWithParam<WhitelistRow> {};

TEST_P(ImportedWhitelist, DecidesAlike) {
    const WhitelistRow& row = GetParam();
    config::ProsodyFolder folder;
    const std::string global = "registration_url = 'https://a.test/' " + std::string(row.global);
    const config::Config config = imported(folder, global, row.options);
    const Peer peer = peer_at(row.address);
    EXPECT_EQ(Policy(config)
                  .decide({.host = "h.test",
                           .other_domain = std::nullopt,
                           .peer = peer,
                           .kind = RequestKind::set},
                          TestWorld())
                  .action,
              row.action);
}

INSTANTIATE_TEST_SUITE_P(
    All, ImportedWhitelist,
    testing::Values(
        WhitelistRow{"default_v4", "", local, Action::forward},
        WhitelistRow{"default_v6", "", "::1", Action::forward},
        WhitelistRow{"default_others", "", stranger, Action::redirect},
        WhitelistRow{"listed", "registration_whitelist = { '192.0.2.7', '192.0.2.8' }", "192.0.2.8",
                     Action::forward},
        WhitelistRow{"not_listed", "registration_whitelist = { '192.0.2.7' }", local,
                     Action::redirect},
        WhitelistRow{"string", "registration_whitelist = '192.0.2.7'", whitelisted,
                     Action::forward},
        WhitelistRow{"empty", "registration_whitelist = {}", local, Action::redirect},
        WhitelistRow{"none", "no_registration_whitelist = true", local, Action::redirect},
        WhitelistRow{"none_as_text", "no_registration_whitelist = 'true'", local, Action::redirect},
        WhitelistRow{"not_none", "no_registration_whitelist = 'maybe'", local, Action::forward},
        WhitelistRow{"global", "", whitelisted, Action::forward,
                     "registration_whitelist = { '192.0.2.7' }"},
        WhitelistRow{"own", "registration_whitelist = { '127.0.0.1' }", whitelisted,
                     Action::redirect, "registration_whitelist = { '192.0.2.7' }"},
        WhitelistRow{"global_none", "registration_whitelist = { '127.0.0.1' }", local,
                     Action::redirect, "no_registration_whitelist = true"},
        // The module compares texts.
        WhitelistRow{"network", "registration_whitelist = { '192.0.2.0/24' }", whitelisted,
                     Action::redirect},
        WhitelistRow{"another_spelling", "registration_whitelist = { '2001:DB8::7' }",
                     "2001:db8::7", Action::redirect},
        WhitelistRow{"host_name", "registration_whitelist = { 'localhost', '192.0.2.7' }",
                     whitelisted, Action::forward},
        // Which it does not read, but nobody writes it for nothing.
        WhitelistRow{"allowlist", "registration_allowlist = { '192.0.2.7' }", whitelisted,
                     Action::forward},
        WhitelistRow{"allowlist_of_networks", "registration_allowlist = { '192.0.2.0/24' }",
                     whitelisted, Action::forward},
        WhitelistRow{"allowlist_without_default", "registration_allowlist = { '192.0.2.7' }", local,
                     Action::redirect},
        WhitelistRow{"allowlist_beside_whitelist",
                     "registration_whitelist = { '127.0.0.1' } "
                     "registration_allowlist = { '192.0.2.7' }",
                     whitelisted, Action::redirect}),
    config::NamedCase{});

}  // namespace
}  // namespace stanzagate::filters
