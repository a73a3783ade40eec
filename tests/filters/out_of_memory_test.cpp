#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <string_view>

#include "filters/expat_parser.hpp"
#include "filters/gate.hpp"
#include "tests/filters/test_config.hpp"
#include "tests/filters/test_world.hpp"

// What happens when there is no more memory, at each place where some is asked for: no crash, no
// leak (the sanitizers look), and nothing is let through that was not decided.
namespace {

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
thread_local std::size_t allocations_left = never;

bool spend_allocation() {
    if (allocations_left == never) return true;
    if (allocations_left == 0) return false;
    --allocations_left;
    return true;
}

// Inside of it, only so many allocations succeed.
class Scarcity {
public:
    explicit Scarcity(std::size_t allocations) { allocations_left = allocations; }
    Scarcity(const Scarcity&) = delete;
    Scarcity& operator=(const Scarcity&) = delete;
    ~Scarcity() { allocations_left = never; }
};

}  // namespace

void* operator new(std::size_t size) {
    if (!spend_allocation()) throw std::bad_alloc();
    if (void* const memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    std::free(memory);
}

namespace stanzagate::filters {
namespace {

using std::string_literals::operator""s;

const std::string header =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "to='second.example' version='1.0'>"s;
const std::string features =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN"
    "</mechanism></mechanisms><register xmlns='http://jabber.org/features/iq-register'/>"
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"s;
const std::string request =
    "<iq type='set' id='a-rather-long-id-of-some-length'><query xmlns='jabber:iq:register'>"
    "<username>somebody-with-a-long-name</username></query></iq>"s;
const std::string message =
    "<message to='somebody-with-a-long-name@second.example' id='another-rather-long-id'>"
    "<body xmlns:p='urn:example:prefix'>&lt;text&gt;</body><p:x xmlns:p='urn:y' p:a='1'/>"
    "</message>"s;
const std::string auth =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>"s;
const std::string success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"s;

// All that a session goes through. False: it had to end for want of memory.
bool tell(const Policy& policy, World& world, std::string& upstream) {
    bool relayed = false;
    auto const step = [&](const Effects& effects) {
        upstream += effects.to_upstream;
        relayed = relayed || effects.command == Command::relay;
        return effects.command != Command::close;
    };
    try {
        Gate gate(policy, world, peer_at(stranger), Gate::Door::secure, "id-1");
        bool const lives =
            step(gate.receive(Side::client, header)) && step(gate.upstream_ready()) &&
            step(gate.receive(Side::upstream, header + features)) &&
            step(gate.receive(Side::client, request + message)) &&
            step(gate.receive(Side::client, auth)) && step(gate.receive(Side::upstream, success));
        return lives && relayed;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

TEST(OutOfMemory, OfTheGateItsSessionEndsAndNothingLeaks) {
    auto const config = config_of();
    Policy const policy(config);
    TestWorld world;
    std::string const forwarded = header + message + auth;
    std::size_t allocations = 0;
    for (;; ++allocations) {
        std::string upstream;
        upstream.reserve(4096);
        bool whole = false;
        {
            Scarcity const scarcity(allocations);
            whole = tell(policy, world, upstream);
        }
        ASSERT_EQ(upstream, forwarded.substr(0, upstream.size())) << allocations;
        if (whole) {
            ASSERT_EQ(upstream, forwarded);
            break;
        }
    }
    EXPECT_GT(allocations, 30U);
}

void* scarce_malloc(std::size_t size) {
    return spend_allocation() ? std::malloc(size) : nullptr;
}
void* scarce_realloc(void* memory, std::size_t size) {
    return spend_allocation() ? std::realloc(memory, size) : nullptr;
}

// Each frame of the bytes, then what became of them, written to `seen`, which has room for it.
void parse(std::string_view bytes, std::size_t piece, std::string& seen) {
    constexpr XML_Memory_Handling_Suite scarce{scarce_malloc, scarce_realloc, std::free};
    std::size_t frame_begin = 0;
    try {
        ExpatParser parser(FrameLimits{}, &scarce);
        for (std::size_t begin = 0; begin < bytes.size(); begin += piece) {
            parser.expect_frame_at(frame_begin);
            auto outcome = parser.parse(bytes.substr(begin, piece));
            while (outcome == ExpatParser::Outcome::frame) {
                auto const frame = parser.take_frame();
                frame_begin += parser.frame_size();
                seen += "frame ";
                parser.expect_frame_at(frame_begin);
                outcome = parser.resume();
            }
            if (outcome == ExpatParser::Outcome::failed) {
                seen += to_string(parser.explain_failure(bytes.substr(frame_begin)));
                return;
            }
        }
        seen += "done";
    } catch (const std::bad_alloc&) {
        seen += "no parser";
    }
}

TEST(OutOfMemory, OfExpatIsAResourceConstraint) {
    auto const bytes = header + features + request + message + auth;
    for (std::size_t const piece : {bytes.size(), std::size_t{7}}) {
        std::string const whole = "frame frame frame frame frame done";
        std::size_t allocations = 0;
        for (;; ++allocations) {
            std::string seen;
            seen.reserve(4096);
            {
                Scarcity const scarcity(allocations);
                parse(bytes, piece, seen);
            }
            if (seen == whole) break;
            bool const as_promised =
                seen.ends_with("resource-constraint") || seen.ends_with("no parser");
            ASSERT_TRUE(as_promised) << allocations << ": " << seen;
            ASSERT_TRUE(whole.starts_with(seen.substr(0, seen.rfind("frame ") + 1))) << seen;
        }
        EXPECT_GT(allocations, 10U);
    }
}

}  // namespace
}  // namespace stanzagate::filters
