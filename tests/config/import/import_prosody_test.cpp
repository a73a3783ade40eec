#include "config/import/import_prosody.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/config/import/prosody_folder.hpp"

namespace stanzagate::config {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(const std::optional<TextTemplate>& text) {
    return text ? text->expand({.host = "H", .url = "U", .address = "A", .lang = "L"}) : "none";
}

std::string whitelist_of(const Host& host) {
    std::string out;
    for (const Network& network : host.registration.whitelist) out += network.to_string() + ' ';
    return out;
}

// A realistic file: the shape of Debian's, which includes its hosts.
constexpr std::string_view debian = R"(
---------- Server-wide settings ----------
admins = { "admin@example.org" }
plugin_paths = { "/usr/local/lib/prosody/modules" }
modules_enabled = {
	-- Generally required
		"disco"; -- Service discovery
		"saslauth";
		"tls";
	-- Nice to have
		"register"; -- Allow users to register on this server
		"register_redirect";
		--"mam";
}
modules_disabled = {
	-- "offline";
}
pidfile = "/run/prosody/prosody.pid";
allow_registration = true
registration_url = "https://example.org/register"
c2s_direct_tls_ports = { 5223 }
s2s_secure_auth = true
limits = {
	c2s = {
		rate = "10kb/s";
	};
}
authentication = "internal_hashed"
log = {
	info = "/var/log/prosody/prosody.log";
	{ levels = { "error" }; to = "syslog";  };
}
certificates = "certs"
VirtualHost "localhost"
Include "conf.d/*.cfg.lua"
)";

class ImportProsody : public testing::Test {
protected:
    const Host& host(const Config& config, std::string_view name) {
        const Host* const found = config.find_host(name);
        if (found == nullptr) throw std::runtime_error("no such host");
        return *found;
    }

    ProsodyFolder folder_;
};

TEST_F(ImportProsody, TakesDebiansFile) {
    folder_.write("prosody/certs/example.org.crt", "");
    folder_.write("prosody/certs/example.org.key", "");
    folder_.write("prosody/conf.d/example.org.cfg.lua",
                  "VirtualHost \"example.org\"\n"
                  "    enabled = true\n"
                  "    registration_whitelist = { \"192.0.2.7\"; \"2001:db8::7\" }\n"
                  "    registration_text = \"Ask \\\"us\\\" & {wait}\"\n"
                  "Component \"conference.example.org\" \"muc\"\n"
                  "    modules_enabled = { \"muc_mam\" }\n");
    const Config config = folder_.imported(debian);
    ASSERT_EQ(config.hosts.size(), 2U);

    const Host& local = host(config, "localhost");
    EXPECT_TRUE(local.self_signed);
    EXPECT_EQ(whitelist_of(local), "127.0.0.1 ::1 ");
    EXPECT_EQ(text_of(local.registration.url), "https://example.org/register");
    EXPECT_TRUE(local.registration.text.empty());
    EXPECT_EQ(local.registration.admins, std::vector<std::string>{"admin@example.org"});

    const Host& example = host(config, "example.org");
    EXPECT_FALSE(example.self_signed);
    EXPECT_EQ(example.certificates.at(0).certificate,
              folder_.path() / "prosody/certs/example.org.crt");
    EXPECT_EQ(example.certificates.at(0).key, folder_.path() / "prosody/certs/example.org.key");
    EXPECT_EQ(whitelist_of(example), "192.0.2.7 2001:db8::7 ");
    EXPECT_EQ(text_of(example.registration.text.at(0).second), "Ask \"us\" & {wait}");
    EXPECT_EQ(example.upstream.addresses.at(0).to_string(), "tcp://127.0.0.1:15222");
    EXPECT_EQ(example.upstream.proxy_protocol, ProxyHeader::v2);

    ASSERT_EQ(config.listen.size(), 2U);
    EXPECT_EQ(config.listen[0].tls, TlsMode::starttls);
    EXPECT_EQ(config.listen[0].addresses.at(1).to_string(), "[::]:5222");
    EXPECT_EQ(config.listen[1].tls, TlsMode::direct);
    EXPECT_EQ(config.listen[1].addresses.at(0).to_string(), "0.0.0.0:5223");
    EXPECT_THAT(folder_.said(), HasSubstr("the certificate of localhost was not found"));
    EXPECT_THAT(folder_.said(), Not(HasSubstr("certificate of example.org")));
}

TEST_F(ImportProsody, LeavesHostsWithoutTheModuleOpen) {
    const Config config = folder_.imported(
        "modules_enabled = { 'register' } registration_url = 'https://a.example/'\n"
        "VirtualHost 'with.example' modules_enabled = { 'register_redirect' }\n"
        "VirtualHost 'without.example'\n"
        "VirtualHost 'limited.example'\n"
        "    whitelist_registration_only = true registration_allowlist = { '192.0.2.0/24' }\n");
    EXPECT_EQ(whitelist_of(host(config, "with.example")), "127.0.0.1 ::1 ");
    EXPECT_EQ(whitelist_of(host(config, "without.example")), "0.0.0.0/0 ::/0 ");
    EXPECT_EQ(whitelist_of(host(config, "limited.example")), "192.0.2.0/24 ");
    EXPECT_THAT(folder_.said(), HasSubstr("not enabled at without.example"));
}

TEST_F(ImportProsody, KnowsWhereTheModuleIsDisabled) {
    const Config config = folder_.imported(
        "modules_enabled = { 'register_redirect' } registration_url = 'https://a.example/'\n"
        "VirtualHost 'on.example'\n"
        "VirtualHost 'off.example' modules_disabled = { 'register_redirect' }\n");
    EXPECT_EQ(whitelist_of(host(config, "on.example")), "127.0.0.1 ::1 ");
    EXPECT_EQ(whitelist_of(host(config, "off.example")), "0.0.0.0/0 ::/0 ");
    const Config disabled = folder_.imported(
        "modules_enabled = { 'register_redirect' } modules_disabled = { 'register_redirect' }\n"
        "VirtualHost 'off.example'\n"
        "VirtualHost 'on.example' modules_enabled = { 'register_redirect' }\n"
        "registration_url = 'https://a.example/'\n");
    EXPECT_EQ(whitelist_of(host(disabled, "off.example")), "0.0.0.0/0 ::/0 ");
    EXPECT_EQ(whitelist_of(host(disabled, "on.example")), "127.0.0.1 ::1 ");
}

// What is not known must not open registration.
TEST_F(ImportProsody, TakesUnknownModulesForEnabled) {
    for (const std::string modules :
         {"FileLines 'modules.txt'", "{ 'register', FileLine 'modules.txt' }",
          "{ 'register_redirect' } modules_disabled = FileLines 'not.txt'"}) {
        for (const std::string host : {"", "VirtualHost 'a.example'\n"}) {
            const Config config =
                folder_.imported("registration_url = 'https://a.example/'\n" + host +
                                 "modules_enabled = " + modules +
                                 (host.empty() ? "\nVirtualHost 'a.example'\n" : "\n"));
            EXPECT_EQ(whitelist_of(config.hosts.at(0)), "127.0.0.1 ::1 ") << modules;
            EXPECT_THAT(folder_.said(), HasSubstr(" is not known here: ")) << modules;
            EXPECT_THAT(folder_.said(), Not(HasSubstr("register_redirect is not enabled")));
        }
    }
    const Config off = folder_.imported(
        "modules_enabled = FileLines 'modules.txt'\n"
        "VirtualHost 'a.example' modules_disabled = { 'register_redirect' }\n");
    EXPECT_EQ(whitelist_of(off.hosts.at(0)), "0.0.0.0/0 ::/0 ");
    const Config listed = folder_.imported(
        "modules_enabled = { 'register' } whitelist_registration_only = FileLine 'only.txt'\n"
        "registration_whitelist = { '192.0.2.7' }\nVirtualHost 'a.example'\n");
    EXPECT_EQ(whitelist_of(listed.hosts.at(0)), "192.0.2.7 ");
}

TEST_F(ImportProsody, MakesOneHostOfEachVirtualHost) {
    const Config config = folder_.imported(
        "VirtualHost 'a.example'\nVirtualHost 'b.example' enabled = false\n"
        "Component 'c.example' 'muc'\nVirtualHost 'm\xc3\xbcller.example'\n");
    ASSERT_EQ(config.hosts.size(), 1U);
    EXPECT_EQ(config.hosts[0].name.name, "a.example");
    EXPECT_THAT(folder_.said(), HasSubstr("prosody.cfg.lua:2:25: warning: b.example is not "
                                          "enabled"));
    EXPECT_THAT(folder_.said(), HasSubstr("prosody.cfg.lua:4:1: warning: VirtualHost"));
}

TEST_F(ImportProsody, NeedsAHost) {
    EXPECT_EQ(folder_.import("Component 'c.example' 'muc'"), std::nullopt);
    EXPECT_THAT(folder_.said(), HasSubstr("error: there is no VirtualHost"));
}

TEST_F(ImportProsody, ListensWhereProsodyDid) {
    const Config config = folder_.imported(
        "c2s_ports = { 5222, '5322', 'x' } c2s_interfaces = { '192.0.2.1', 'eth0', '::1' }\n"
        "legacy_ssl_ports = { 5223, 5222 } interfaces = { '*' } use_ipv6 = false\n"
        "c2s_direct_tls_ports = 5224 c2s_direct_tls_interface = '*'\n"
        "VirtualHost 'a.example'\n");
    std::string doors;
    for (const Listen& listen : config.listen)
        for (const Endpoint& address : listen.addresses) doors += address.to_string() + ' ';
    EXPECT_EQ(doors,
              "192.0.2.1:5222 192.0.2.1:5322 [::1]:5222 [::1]:5322 "
              "0.0.0.0:5224 0.0.0.0:5223 ");
    EXPECT_THAT(folder_.said(), HasSubstr("legacy_ssl_ports: 0.0.0.0:5222 is taken already"));
    EXPECT_THAT(folder_.said(), HasSubstr("\"eth0\" is not an address"));
    EXPECT_THAT(folder_.said(), HasSubstr("\"x\" is not a port"));
}

TEST_F(ImportProsody, ListensWhereItKnowsAnAddress) {
    const auto doors = [&](const std::string& options) {
        std::string found;
        for (const Listen& listen :
             folder_.imported(options + "\nVirtualHost 'a.example'\n").listen)
            for (const Endpoint& address : listen.addresses) found += address.to_string() + ' ';
        return found;
    };
    const std::string loopback = "127.0.0.1:5322 [::1]:5322 ";
    EXPECT_EQ(doors("c2s_ports = 5322 c2s_interfaces = { 'eth0', 'localhost' }"), loopback);
    EXPECT_THAT(folder_.said(), Not(HasSubstr("the gate is given")));
    EXPECT_EQ(doors("c2s_ports = 5322 c2s_interface = 'localhost'"), loopback);
    for (const std::string options :
         {"interfaces = { 'eth0' }", "interfaces = FileLines 'interfaces.txt'"}) {
        EXPECT_EQ(doors("c2s_ports = 5322\n" + options), loopback);
        EXPECT_THAT(folder_.said(), HasSubstr("prosody.cfg.lua:2:1: warning: interfaces: no "
                                              "address is known of it, so the gate is given "
                                              "loopback only"));
        EXPECT_THAT(folder_.said(), Not(HasSubstr("no port")));
    }
    EXPECT_EQ(doors("c2s_interfaces = { }"), "0.0.0.0:5222 [::]:5222 ");
    EXPECT_THAT(folder_.said(), HasSubstr("mod_c2s has no port; the gate is given 5222"));
}

TEST_F(ImportProsody, MovesProsodyToAFreePort) {
    EXPECT_EQ(folder_.imported("c2s_ports = 15222 VirtualHost 'a.example'")
                  .hosts[0]
                  .upstream.addresses[0]
                  .port,
              15223);
    EXPECT_EQ(folder_.imported("proxy_ports = { 6000 } VirtualHost 'a.example'")
                  .hosts[0]
                  .upstream.addresses[0]
                  .port,
              6000);
    EXPECT_EQ(folder_.imported("c2s_ports = {} VirtualHost 'a.example'").listen.size(), 1U);
}

TEST_F(ImportProsody, FindsCertificatesAsProsodyDoes) {
    for (const char* const file :
         {"a/fullchain.pem", "a/privkey.pem", "le/c.example/fullchain.pem",
          "le/c.example/privkey.pem", "certs/d.example.pem", "certs/e.example.crt"})
        folder_.write("prosody/" + std::string(file), "");
    const Config config = folder_.imported(
        "VirtualHost 'a.example' ssl = { certificate = 'a/fullchain.pem', key = 'a/privkey.pem' }\n"
        "VirtualHost 'b.example' certificate = 'a/fullchain.pem'\n"
        "VirtualHost 'sub.c.example' certificate = 'le'\n"
        "VirtualHost 'd.example'\n"
        "VirtualHost 'e.example'\n"  // no key
        "VirtualHost 'f.example' ssl = { certificate = '/none/c.pem', key = '/none/k.pem' }\n");
    const auto root = folder_.path() / "prosody";
    EXPECT_EQ(host(config, "a.example").certificates.at(0).certificate, root / "a/fullchain.pem");
    EXPECT_EQ(host(config, "b.example").certificates.at(0).key, root / "a/privkey.pem");
    EXPECT_EQ(host(config, "sub.c.example").certificates.at(0).certificate,
              root / "le/c.example/fullchain.pem");
    EXPECT_EQ(host(config, "d.example").certificates.at(0).key, root / "certs/d.example.pem");
    EXPECT_TRUE(host(config, "e.example").self_signed);
    EXPECT_TRUE(host(config, "f.example").self_signed);
    EXPECT_THAT(folder_.said(), HasSubstr("prosody.cfg.lua:6:25: warning: the certificate of "
                                          "f.example was not found (looked for \"/none/c.pem\""));
}

TEST_F(ImportProsody, PrintsLimitsAsASecondFile) {
    const auto toml = folder_.import(
        "modules_enabled = { 'register', 'register_redirect' } allow_registration = true\n"
        "registration_url = 'https://a.example/'\n"
        "min_seconds_between_registrations = 300\n"
        "registration_blacklist = { '198.51.100.0/24', '192.0.2.9/24', 'spam.example' }\n"
        "VirtualHost 'a.example'\nVirtualHost 'b.example'\n"
        "VirtualHost 'c.example' registration_throttle_max = 2 registration_throttle_period = "
        "60\n");
    ASSERT_TRUE(toml) << folder_.said();
    EXPECT_THAT(*toml, HasSubstr("# ---- rules/limits.toml ----\n"));
    EXPECT_THAT(*toml, HasSubstr("#host   = [\"a.example\", \"b.example\"]\n"
                                 "#from   = [\"198.51.100.0/24\", \"192.0.2.0/24\"]\n"
                                 "#action = \"refuse\"\n"));
    EXPECT_THAT(*toml, HasSubstr("#quota  = { count = 1, per = \"300s\", by = \"address\" }\n"));
    EXPECT_THAT(*toml, HasSubstr("#quota  = { count = 2, per = \"60s\", by = \"address\" }\n"));
    EXPECT_THAT(folder_.said(), HasSubstr("prosody.cfg.lua:3:1: warning: mod_register_limits"));
    EXPECT_THAT(folder_.said(), HasSubstr("\"spam.example\" is neither an address nor a network"));
    EXPECT_NE(folder_.with_rules(*toml), *toml);
}

// What is printed as a rule file must be one.
TEST_F(ImportProsody, PrintsRulesThatCheckAccepts) {
    const auto rules = [&](const std::string& options) {
        const std::string text =
            "modules_enabled = { 'register_redirect' } registration_url = 'https://a.example/'\n" +
            options + "\nVirtualHost 'a.example'\n";
        folder_.imported(text);
        const std::string toml = folder_.import(text).value_or("");
        const std::size_t at = toml.find("# ---- rules/limits.toml");
        return at == std::string::npos ? std::string() : toml.substr(at);
    };
    EXPECT_EQ(rules("registration_throttle_max = 0/0 registration_throttle_period = 60"), "");
    const std::string throttle = "min_seconds_between_registrations = 300\n";
    EXPECT_EQ(rules(throttle + "no_registration_whitelist = true"), "");
    EXPECT_THAT(rules(throttle + "no_registration_whitelist = true\n"
                                 "registration_blocklist = { '192.0.2.9' }"),
                testing::AllOf(HasSubstr("\"blocklist\""), Not(HasSubstr("throttle"))));
    EXPECT_THAT(rules(throttle + "registration_allowlist = { } "
                                 "registration_whitelist = { '192.0.2.7' }"),
                testing::AllOf(HasSubstr("\"throttle\""), Not(HasSubstr("not_from"))));
    EXPECT_THAT(rules(throttle + "registration_throttle_max = 2000000"),
                HasSubstr("count = 1000000, per = \"300s\""));
    EXPECT_THAT(folder_.said(), HasSubstr("registration_throttle_max: the gate counts to 1000000"));
    EXPECT_THAT(rules("registration_throttle_max = 3 registration_throttle_period = 1e12"),
                HasSubstr("count = 3, per = \"31622400s\""));
    EXPECT_THAT(folder_.said(), HasSubstr("registration_throttle_period: the gate counts for"));
}

// By its own HTTP ports clients reach Prosody past the gate.
TEST_F(ImportProsody, LeavesTheModuleToGuardWebClients) {
    constexpr std::string_view over = "nothing left to do there";
    constexpr std::string_view host =
        "registration_url = 'https://a.example/'\nVirtualHost 'a.example'\n";
    const auto made = [&](const std::string& modules) {
        return folder_.import("modules_enabled = " + modules + std::string(host)).value_or("");
    };
    EXPECT_THAT(made("{ 'register_redirect' }\n"), HasSubstr(over));
    EXPECT_THAT(folder_.said(), Not(HasSubstr("leave it enabled")));
    for (const std::string module : {"bosh", "websocket", "conversejs", "jsxc"}) {
        EXPECT_THAT(made("{ 'register_redirect', '" + module + "' }\n"),
                    testing::AllOf(Not(HasSubstr(over)),
                                   HasSubstr("mod_register_redirect must stay enabled there: by "
                                             "mod_" +
                                             module + " clients")));
        EXPECT_THAT(folder_.said(), HasSubstr("mod_" + module + " is enabled"));
        EXPECT_THAT(folder_.said(),
                    HasSubstr("leave it enabled until they come through the gate too "
                              "(serve = [\"xmpp\", \"websocket\", \"bosh\"])"));
    }
}

TEST_F(ImportProsody, LeavesTheModuleToGuardMultiplexedPorts) {
    constexpr std::string_view over = "nothing left to do there";
    const auto made = [&](const std::string& options) {
        return folder_
            .import(options +
                    "\nregistration_url = 'https://a.example/'\nVirtualHost 'a.example'\n")
            .value_or("");
    };
    const std::string enabled = "modules_enabled = { 'register_redirect', 'net_multiplex' }\n";
    EXPECT_THAT(made(enabled + "c2s_ports = { }\nports = { 5222, 5269 } ssl_ports = 443"),
                testing::AllOf(Not(HasSubstr(over)),
                               HasSubstr("must stay enabled there: by mod_net_multiplex clients")));
    EXPECT_THAT(folder_.said(),
                HasSubstr("prosody.cfg.lua:3:1: warning: mod_net_multiplex is enabled: clients "
                          "that come to Prosody by it, at ports 5222, 5269 and ssl_ports 443, "
                          "pass by the gate, where mod_register_redirect is the only "
                          "guard: leave it enabled until the gate has these ports"));
    EXPECT_THAT(made(enabled + "ssl_ports = FileLines 'ports.txt'"), Not(HasSubstr(over)));
    EXPECT_THAT(folder_.said(), HasSubstr("at ssl_ports, pass by the gate"));
    EXPECT_THAT(made("modules_enabled = FileLines 'modules.txt' ports = 5222"),
                Not(HasSubstr(over)));
    EXPECT_THAT(folder_.said(), HasSubstr("mod_net_multiplex may be enabled: clients"));
    // It has no ports, or is not there.
    EXPECT_THAT(made(enabled + "ports = { }"), HasSubstr(over));
    EXPECT_THAT(made("modules_enabled = { 'register_redirect' } ports = { 5222 }"),
                HasSubstr(over));
    EXPECT_THAT(folder_.said(), Not(HasSubstr("net_multiplex")));
}

TEST_F(ImportProsody, SaysWhatElseIsDifferent) {
    const auto toml = folder_.import(
        "modules_enabled = { 'register', 'register_redirect', 'bosh' }\n"
        "registration_url = FileContents 'url.txt'\n"
        "admins = { 'a@a.example' }\n"
        "c2s_require_encryption = false\n"
        "limits = { c2s = { rate = '10kb/s' } }\n"
        "Component 'rooms.example' 'muc'\n"
        "VirtualHost 'a.example' allow_registration = false c2s_stanza_size_limit = 300000\n"
        "Include '/etc/passwd'\n");
    ASSERT_TRUE(toml) << folder_.said();
    for (const char* const part :
         {"mod_bosh is enabled", "its value is what FileContents reads", "c2s_require_encryption",
          "allow_registration is not true at a.example", "limits: stays Prosody's",
          "c2s_stanza_size_limit: stays Prosody's", "Component \"rooms.example\" stays Prosody's",
          "Include \"/etc/passwd\""}) {
        EXPECT_THAT(folder_.said(), HasSubstr(part));
        EXPECT_THAT(*toml, HasSubstr(part)) << "no comment";
    }
}

}  // namespace
}  // namespace stanzagate::config
