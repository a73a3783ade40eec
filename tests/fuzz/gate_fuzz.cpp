#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "filters/stanza_framer.hpp"
#include "tests/filters/framing.hpp"
#include "tests/filters/gate_driver.hpp"
#include "tests/filters/rules_folder.hpp"
#include "tests/filters/splits.hpp"
#include "tests/filters/test_config.hpp"
#include "tests/fuzz/require.hpp"

// A stranger and a server, saying and doing anything: no request to register gets through but what
// a rule has let through, everything else does, at once and as it came, what the gate sends is
// well-formed, what it does does not depend on how the client's bytes are cut, and it ends when it
// says so.
//   byte 0: the settings; byte 1: how the client's bytes are cut; the rest: what happens, each
//   after a byte 0xFF: 'c' or 'u' and the bytes that side sends; or a letter alone, see happen()
namespace {

using namespace stanzagate;
using namespace stanzagate::filters;

constexpr std::string_view zone = "list.example";

// Lists are asked, answers wait, and some requests get through.
constexpr std::string_view rules = R"(
[[rule]]
name = "listed"
dnsbl = "list.example"
action = "refuse"
delay = "2s"
[[rule]]
name = "invited"
invited = true
action = "forward"
[[rule]]
name = "twice"
host = "second.example"
quota = { count = 2, per = "1h", by = "host" }
action = "forward"
[[rule]]
name = "closed"
host = "strict.example"
action = "close"
delay = "1s"
)";
constexpr std::size_t twice = 2;

config::Config with(config::Config config, config::Advertise advertise) {
    for (auto& host : config.hosts) host.registration.advertise = advertise;
    config.limits.stanza_size = 2000;
    return config;
}

struct Settings {
    explicit Settings(config::Config with) : config(std::move(with)) {}

    config::Config config;
    Policy policy{config};
};

// Whether its rules let somebody through.
bool has_rules(unsigned choice) {
    return choice % 16 >= 8;
}

const Policy& plain_policy(unsigned choice) {
    static const Settings automatic(with(config_of(), config::Advertise::automatic));
    static const Settings never(with(config_of(), config::Advertise::never));
    return choice % 2 == 0 ? automatic.policy : never.policy;
}

const Policy& ruled_policy(unsigned choice) {
    static const auto config = RulesFolder(rules).load();
    static const Settings automatic(with(config, config::Advertise::automatic));
    static const Settings never(with(config, config::Advertise::never));
    return choice % 2 == 0 ? automatic.policy : never.policy;
}

struct Done {
    std::string client_said;
    std::string upstream_said;
    std::size_t look_ups = 0;  // that have come back
    std::size_t waits = 0;     // that are over
};

void look_up(GateDriver& driver, Done& done, bool listed) {
    if (std::exchange(done.look_ups, driver.look_ups.size()) == driver.look_ups.size()) return;
    driver.world.unasked.clear();
    if (listed) driver.world.listing.emplace(zone);
    driver.looked_up();
}

void happen(GateDriver& driver, Done& done, std::string_view what, std::mt19937* cut) {
    if (what.empty()) return;
    auto const bytes = what.substr(1);
    switch (what[0]) {
        case 'c':
            done.client_said += bytes;
            for (auto const piece : cut ? random_pieces(bytes, *cut) : Pieces{bytes})
                driver.send(Side::client, piece);
            break;
        case 'u':
            if (!driver.has_upstream()) break;
            done.upstream_said += bytes;
            driver.send(Side::upstream, bytes);
            break;
        case 't':
            if (!driver.tls_name.empty()) driver.tls_done();
            break;
        case 'r':
            if (driver.host && !driver.has_upstream()) driver.upstream_ready();
            break;
        case 'f':
            if (driver.host && !driver.has_upstream()) driver.upstream_failed();
            break;
        case 'e':
            driver.eof(Side::client);
            break;
        case 'E':
            driver.eof(Side::upstream);
            break;
        case 'T':
            driver.timed_out();
            break;
        case 'D':
            driver.draining();
            break;
        case 'l':
        case 'L':
            look_up(driver, done, what[0] == 'L');
            break;
        case 'w':
            if (std::exchange(done.waits, driver.waits.size()) != driver.waits.size())
                driver.delay_over();
            break;
        default:
            break;
    }
}

Done play(GateDriver& driver, std::string_view script, std::mt19937* cut) {
    Done done;
    while (!script.empty()) {
        auto const end = std::min(script.find('\xFF'), script.size());
        happen(driver, done, script.substr(0, end), cut);
        script.remove_prefix(std::min(end + 1, script.size()));
    }
    return done;
}

// Written anew, not borrowed from the code that is tested.
bool asks_to_register(const Frame& frame) {
    auto const& root = frame.root;
    if (root.is(Namespace::extensible_ibr, "register")) return true;
    auto const& type = frame.attributes.type;
    if (root.local != "iq" || type == "result" || type == "error") return false;
    return std::any_of(root.children.begin(), root.children.end(), [](auto const& child) {
        return child.ns == Namespace::iq_register ||
               (child.ns == Namespace::extensible_ibr && child.local == "register");
    });
}

constexpr FrameLimits any{.frame_bytes = 1U << 24U, .depth = 10'000, .attributes = 10'000};

// What some server could read in another way: roughly, since who reads so is another matter.
bool may_be_misread(const Frame& frame) {
    if (frame.attributes.qualified) return true;
    auto const inner = frame.raw.substr(frame.root.content_begin);
    return frame.root.local == "iq" &&
           (inner.find("iq") != std::string_view::npos ||
            std::any_of(frame.root.children.begin(), frame.root.children.end(), [&](auto& child) {
                return written_name(frame.raw.substr(child.begin)).find(':') !=
                       std::string_view::npos;
            }));
}

// What the gate may answer itself.
bool may_be_kept(const Frame& frame) {
    auto const& root = frame.root;
    if (may_be_misread(frame)) return true;
    if (asks_to_register(frame) || root.is(Namespace::compress, "compress")) return true;
    return root.local == "iq" &&
           std::any_of(root.children.begin(), root.children.end(), [](auto const& child) {
               return child.ns == Namespace::iq_auth || child.ns == Namespace::pars;
           });
}

// Takes the frame from the beginning of what was forwarded, if it stands there.
bool take(std::string_view& forwarded, const KeptFrame& frame) {
    auto size = frame.raw.size();
    if (frame.kind == Frame::Kind::filler) {
        // Several that came apart; the last of them may not have been forwarded.
        size = std::min({size, forwarded.find_first_not_of(" \t\r\n"), forwarded.size()});
        if (size == 0) return false;
    }
    if (!forwarded.starts_with(std::string_view(frame.raw).substr(0, size))) return false;
    forwarded.remove_prefix(size);
    return true;
}

// Of a stream behind TLS: what was forwarded are the client's frames, in order and unchanged, but
// for those that the gate may keep; and where nothing holds them back, all of them.
void check_identity(GateDriver& driver, std::string_view client, std::string_view upstream) {
    FrameLimits const limits{.frame_bytes = 2000, .depth = 16, .attributes = 32};
    auto const got = driver.got(Side::upstream).substr(0, driver.decided_bytes());
    // Nothing but the end is said any more to an upstream that has closed its stream.
    auto const answers = frame_up({upstream}, any).frames;
    bool const closed = !answers.empty() && answers.back().kind == Frame::Kind::stream_close;
    std::string_view forwarded = got;
    bool nothing_missing = true;
    for (auto const& kept : frame_up({client}, limits).frames) {
        if (take(forwarded, kept)) continue;
        Frame frame;
        frame.raw = kept.raw;
        frame.root = kept.root;
        frame.attributes = kept.attributes;
        if (kept.kind == Frame::Kind::stanza && (closed || may_be_kept(frame))) continue;
        nothing_missing = false;
        break;
    }
    if (!driver.relaying()) require(forwarded.empty(), "what is forwarded is what came", got);
    bool const open =
        driver.gate().wants(Side::client) && !got.empty() && !driver.closed() && !closed;
    if (open && !driver.relaying()) require(nothing_missing, "all is forwarded, at once", got);
}

std::size_t forwarded_by(const GateDriver& driver, std::string_view rule, bool creating = false) {
    auto const& all = driver.registrations;
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](auto const& one) {
        return one.action == Action::forward && (rule.empty() || one.rule == rule) &&
               (!creating || one.request == RequestKind::set);
    }));
}

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
    return found;
}

// One invitation, one account, and no more than the quota: but for those that the server refused.
void check_rules(const GateDriver& driver, std::string_view upstream) {
    auto const refused = count(upstream, "error") + count(upstream, "cancel");
    require(forwarded_by(driver, "twice", true) <= twice + refused, "the quota holds", "");
    require(forwarded_by(driver, "invited", true) <= count(upstream, "result") + refused,
            "an invitation for each", "");
}

void check_upstream(const GateDriver& driver) {
    auto const seen = driver.got(Side::upstream).substr(0, driver.decided_bytes());
    StanzaFramer framer(any);
    framer.feed(seen);
    std::size_t requests = 0;
    while (auto const* const frame = framer.next())
        if (asks_to_register(*frame)) ++requests;
    require(requests == forwarded_by(driver, {}), "nothing leaks", seen);
    require(!framer.error(), "what is forwarded is well-formed", seen);
    bool const whole = framer.rest().empty() || seen.find('<') == std::string::npos;
    require(whole || driver.relaying(), "only whole frames are forwarded", seen);
}

void check_client(const GateDriver& driver) {
    auto const& seen = driver.got(Side::client);
    StanzaFramer framer(any);
    framer.feed(seen);
    while (framer.next()) {
    }
    require(!framer.error(), "what the client gets is well-formed", seen);
}

// What the client got. Where two things are wrong with a frame, which of them is named may depend
// on the cut.
std::string without_the_reason(const GateDriver& driver) {
    auto const& got = driver.got(Side::client);
    return driver.stream_error ? got.substr(0, got.rfind("<stream:error")) : got;
}

// What is wrong in a token that the parser has looked at often is found when the token ends.
bool may_be_late(const GateDriver& whole, const GateDriver& cut, std::string_view client) {
    auto const looks = std::count(client.begin(), client.end(), '>');
    return whole.stream_error && whole.closed() && whole.stream_error != cut.stream_error &&
           whole.got(Side::upstream) == cut.got(Side::upstream) &&
           looks > UnfinishedToken::most_looks;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    auto const& policy = has_rules(data[0]) ? ruled_policy(data[0]) : plain_policy(data[0]);
    auto const door = data[0] % 4 < 2 ? Gate::Door::secure : Gate::Door::starttls;
    auto const connect =
        data[0] % 8 < 4 ? GateDriver::Connect::at_once : GateDriver::Connect::when_told;
    std::string const script(data + 2, data + size);

    GateDriver whole(policy, peer_at(stranger), door, connect);
    GateDriver cut(policy, peer_at(stranger), door, connect);
    for (auto* const driver : {&whole, &cut}) {
        driver->world_answers = GateDriver::Connect::when_told;
        driver->world.unasked.emplace(zone);
    }
    std::mt19937 random(data[1]);
    auto const done = play(whole, script, nullptr);
    auto const done_cut = play(cut, script, &random);

    for (auto const& [driver, said] : {std::pair{&whole, &done}, std::pair{&cut, &done_cut}}) {
        require(driver->broken_promise.empty(), "over is over", driver->broken_promise);
        check_upstream(*driver);
        if (has_rules(data[0]))
            check_rules(*driver, said->upstream_said);
        else
            require(forwarded_by(*driver, {}) == 0, "nobody may register", "");
        bool const one_stream = door == Gate::Door::secure && !driver->relaying();
        if (one_stream) check_client(*driver);
        if (door == Gate::Door::secure)
            check_identity(*driver, said->client_said, said->upstream_said);
        auto const sent = driver->got(Side::client).size() + driver->got(Side::upstream).size();
        require(sent <= 64 * size + 8192, "bounded", std::to_string(sent));
    }
    // Behind <starttls/> it does matter what came in the same piece.
    if (door == Gate::Door::secure && !may_be_late(whole, cut, done.client_said)) {
        require(whole.got(Side::upstream) == cut.got(Side::upstream), "cutting changes nothing",
                whole.got(Side::upstream) + "\n--- cut:\n" + cut.got(Side::upstream));
        require(without_the_reason(whole) == without_the_reason(cut), "cutting changes nothing",
                whole.got(Side::client) + "\n--- cut:\n" + cut.got(Side::client));
        require(whole.commands == cut.commands, "cutting changes no command", "");
    }
    return 0;
}
