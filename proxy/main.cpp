#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include "config/import/import_prosody.hpp"
#include "config/load.hpp"
#include "config/nearest_word.hpp"
#include "filters/jid.hpp"
#include "proxy/core_dumps.hpp"
#include "proxy/descriptor_limit.hpp"
#include "proxy/doctor.hpp"
#include "proxy/explain.hpp"
#include "proxy/server.hpp"
#include "proxy/snapshot.hpp"
#include "proxy/status_command.hpp"

// The command line: which command, with what. The commands' work is done elsewhere.
namespace {

using namespace stanzagate;
using proxy::ExitCode;

constexpr auto default_file = "/etc/stanzagate/stanzagate.toml";

void print(const config::Diagnostics& diagnostics) {
    for (auto const& diagnostic : diagnostics.sorted()) std::cerr << diagnostic.to_string() << '\n';
}

ExitCode run(const std::string& file, bool core_dumps, const proxy::Program& program) {
    if (!core_dumps) proxy::forbid_core_dumps();
    proxy::raise_descriptor_limit();
    config::Diagnostics diagnostics;
    auto const snapshot = proxy::load_snapshot(file, diagnostics);
    if (!snapshot) {
        print(diagnostics);
        return ExitCode::bad_input;
    }
    return proxy::serve(snapshot, diagnostics, program);
}

std::string count(std::size_t number, const std::string& one, const std::string& many) {
    return std::to_string(number) + ' ' + (number == 1 ? one : many);
}

// By which doors clients can come: "starttls, websocket".
std::string doors(const config::Config& config) {
    std::string text;
    for (auto const transport : {filters::Transport::starttls, filters::Transport::direct,
                                 filters::Transport::websocket, filters::Transport::bosh}) {
        auto const brings = [&](const config::Listen& listen) { return listen.brings(transport); };
        if (std::none_of(config.listen.begin(), config.listen.end(), brings)) continue;
        if (!text.empty()) text += ", ";
        text += filters::to_string(transport);
    }
    return text;
}

struct CheckOptions {
    bool live = false;
    std::vector<std::string> hosts;
    bool json = false;
};

ExitCode check_live(const proxy::Snapshot& snapshot, const CheckOptions& options) {
    auto const examined = proxy::examine_upstreams(snapshot, options.hosts);
    if (auto const* const error = std::get_if<std::string>(&examined)) {
        std::cerr << "stanzagate check: " << *error << '\n';
        return ExitCode::bad_input;
    }
    auto const& report = std::get<proxy::DoctorReport>(examined);
    std::cout << (options.json ? as_json(report) : as_text(report));
    return report.count(proxy::Finding::Weight::problem) == 0 ? ExitCode::done
                                                              : ExitCode::bad_input;
}

ExitCode check(const std::string& file, const CheckOptions& options) {
    config::Diagnostics diagnostics;
    auto const snapshot = proxy::load_snapshot(file, diagnostics);
    print(diagnostics);
    if (!snapshot) return ExitCode::bad_input;
    if (options.json) return check_live(*snapshot, options);
    auto const& config = snapshot->config;
    std::size_t addresses = 0;
    for (auto const& door : config.listen) addresses += door.addresses.size();
    std::cout << file << ": ok: " << count(addresses, "address", "addresses") << " ("
              << doors(config) << "), " << count(config.hosts.size(), "host", "hosts") << ", "
              << count(diagnostics.all().size(), "warning", "warnings") << '\n';
    return options.live ? check_live(*snapshot, options) : ExitCode::done;
}

struct ExplainOptions {
    std::string host;
    std::string from;
    std::string request = "get";
    std::string transport = "starttls";
    std::string lang;
    bool invited = false;
    bool json = false;
};

const std::map<std::string, filters::RequestKind> requests{{"get", filters::RequestKind::get},
                                                           {"set", filters::RequestKind::set}};
const std::map<std::string, filters::Transport> transports{
    {"starttls", filters::Transport::starttls},
    {"direct", filters::Transport::direct},
    {"websocket", filters::Transport::websocket},
    {"bosh", filters::Transport::bosh}};

ExitCode explain(const std::string& file, const ExplainOptions& options) {
    auto const from = config::Address::parse(options.from);
    if (!from) {
        std::cerr << "stanzagate explain: --from: \"" << options.from
                  << "\" is not an IPv4 or IPv6 address\n";
        return ExitCode::bad_command_line;
    }
    if (filters::domain_of(options.host).empty()) {
        std::cerr << "stanzagate explain: --host: \"" << options.host << "\" names no host\n";
        return ExitCode::bad_command_line;
    }
    config::Diagnostics diagnostics;
    auto const config = config::load(file, diagnostics);
    config::ListContents lists;
    std::shared_ptr<const proxy::Countries> countries;
    if (config) lists = config::read_lists(*config, diagnostics);
    if (config && config->server.geoip)
        countries =
            proxy::Countries::load(*config->server.geoip, config->server.geoip_where, diagnostics);
    if (!config || diagnostics.has_errors()) {
        print(diagnostics);
        return ExitCode::bad_input;
    }
    auto const explanation =
        proxy::explain({*config, std::move(lists), countries.get()},
                       {options.host, *from, requests.at(options.request),
                        transports.at(options.transport), options.lang, options.invited});
    if (explanation.warning)
        std::cerr << "stanzagate explain: warning: --host: " << *explanation.warning << '\n';
    std::cout << (options.json ? as_json(explanation) : as_text(explanation));
    return ExitCode::done;
}

ExitCode import_prosody(const std::string& file) {
    config::Diagnostics diagnostics;
    auto const imported = config::import_prosody(file, diagnostics);
    print(diagnostics);
    if (!imported) return ExitCode::bad_input;
    std::cout << imported->toml;
    return ExitCode::done;
}

ExitCode status(const std::string& file) {
    config::Diagnostics diagnostics;
    auto const config = config::load(file, diagnostics);
    if (!config) {
        print(diagnostics);
        return ExitCode::bad_input;
    }
    auto const failed = [](const std::string& why) {
        std::cerr << "stanzagate status: " << why << '\n';
        return ExitCode::bad_input;
    };
    auto const& admin = config->server.admin;
    if (!admin)
        return failed(file +
                      ": there is no address to ask: set server.admin, \"127.0.0.1:9090\" say");
    auto const told = proxy::ask_status(*admin);
    if (auto const* const error = std::get_if<proxy::StatusError>(&told))
        return failed(error->what);
    auto const table = proxy::status_table(std::get<std::string>(told));
    if (auto const* const error = std::get_if<proxy::StatusError>(&table))
        return failed(admin->to_string() + ": " + error->what);
    std::cout << std::get<std::string>(table);
    return ExitCode::done;
}

int exit_with(ExitCode code) {
    return static_cast<int>(code);
}

// A script that keeps what is printed must not take half of it for all.
int with_output_written(int code) {
    errno = 0;
    if (std::cout.flush()) return code;
    std::cerr << "stanzagate: the output cannot be written to standard output"
              << (errno != 0 ? ": " + std::generic_category().message(errno) : std::string())
              << '\n';
    return code == exit_with(ExitCode::done) ? exit_with(ExitCode::cannot_start) : code;
}

// Why what stands in the place of the command is none; nothing where it is one.
std::optional<std::string> no_command(const CLI::App& app, const std::string& word) {
    std::vector<std::string> names;
    for (auto const* const command : app.get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(command->get_name());
    if (std::find(names.begin(), names.end(), word) != names.end()) return std::nullopt;
    return "there is no command " + config::in_quotes(word) + "; there are " +
           config::enumeration(names, " and ") + config::did_you_mean(word, names);
}

int command_line(int argc, char** argv) {
    CLI::App app("stanzagate: the registration gate for XMPP servers", "stanzagate");
    app.set_version_flag("--version", std::string("stanzagate ") + STANZAGATE_VERSION);
    app.require_subcommand(1);

    std::string file = default_file;
    ExplainOptions options;
    auto const takes_file = [&](CLI::App* command) {
        command->add_option("-c,--config", file, "the configuration file")->capture_default_str();
        return command;
    };
    auto* const run_command = takes_file(app.add_subcommand("run", "serve in the foreground"));
    bool core_dumps = false;
    run_command->add_flag("--core-dumps", core_dumps,
                          "leave core dumps as the system has them: they hold the private keys");
    auto* const check_command = takes_file(
        app.add_subcommand("check", "load everything, serve nothing, report what is wrong"));
    CheckOptions check_options;
    auto* const live = check_command->add_flag(
        "--live", check_options.live, "connect to the servers, and say what is wrong there");
    check_command->add_option("--host", check_options.hosts, "of which hosts (for --live)")
        ->needs(live);
    check_command->add_flag("--json", check_options.json, "for programs (for --live)")->needs(live);
    auto* const explain_command = takes_file(
        app.add_subcommand("explain", "tell what would become of a registration request, and why"));
    explain_command->add_option("--host", options.host, "the host to register at")->required();
    explain_command->add_option("--from", options.from, "the client's address")->required();
    explain_command->add_option("--request", options.request, "get or set")
        ->check(CLI::IsMember(requests));
    explain_command->add_option("--transport", options.transport, "how the client connects")
        ->check(CLI::IsMember(transports));
    explain_command->add_option("--lang", options.lang, "the language the client asks for");
    explain_command->add_flag("--invited", options.invited,
                              "as if the client had a valid invitation");
    explain_command->add_flag("--json", options.json, "for programs");
    auto* const import_command = app.add_subcommand(
        "import-prosody", "print what a Prosody configuration with mod_register_redirect says");
    std::string prosody_file;
    import_command->add_option("FILE", prosody_file, "prosody.cfg.lua")->required();
    auto* const status_command = takes_file(
        app.add_subcommand("status", "ask the running process how it is, at its admin address"));

    if (argc > 1 && *argv[1] != '-') {
        if (auto const why = no_command(app, argv[1])) {
            std::cerr << "stanzagate: " << *why << '\n';
            return exit_with(ExitCode::bad_command_line);
        }
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        bool const wanted_output = error.get_exit_code() == 0;  // --help, --version
        app.exit(error);
        return exit_with(wanted_output ? ExitCode::done : ExitCode::bad_command_line);
    }
    if (run_command->parsed())
        return exit_with(run(file, core_dumps, proxy::this_program(argc, argv)));
    if (check_command->parsed()) return exit_with(check(file, check_options));
    if (explain_command->parsed()) return exit_with(explain(file, options));
    if (status_command->parsed()) return exit_with(status(file));
    return exit_with(import_prosody(prosody_file));
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return with_output_written(command_line(argc, argv));
    } catch (const std::exception& exception) {
        std::cerr << "stanzagate: " << exception.what() << '\n';
        return exit_with(ExitCode::cannot_start);
    }
}
