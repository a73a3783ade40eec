#include "tests/filters/carried_session.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include "filters/websocket_reader.hpp"
#include "filters/websocket_writer.hpp"
#include "filters/xml_escape.hpp"
#include "tests/filters/bosh_client.hpp"
#include "tests/filters/canonical.hpp"

namespace stanzagate::filters {
namespace {

const std::string ws_close = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

bool is_success(const StreamPart& part) {
    return part.meaning.starts_with("<urn:ietf:params:xml:ns:xmpp-sasl\nsuccess");
}

class OverWebsocket final : public CarriedSession {
public:
    OverWebsocket(GateDriver& driver, const config::Limits& limits)
        : CarriedSession(driver),
          reader_({limits.stanza_size, limits.stanza_depth, limits.attributes}) {}

    void client_ends() override {
        driver_.eof(Side::client);
        settle();
    }

    void settle() override {
        for (;;) {
            hear(writer_.write(driver_.take(Side::client)));
            if (driver_.relaying()) reader_.authenticated(server_limits);
            if (unread_.empty() || !takes() || reader_.error()) return;
            auto const message = std::move(unread_.front());
            unread_.pop_front();
            if (auto const bytes = reader_.read(message))
                driver_.send(Side::client, *bytes);
            else
                fail();
        }
    }

    std::optional<StreamErrorCondition> error() const override { return reader_.error(); }

private:
    void fail() {
        hear(writer_.write(driver_.take(Side::client)));
        hear(writer_.fail(*reader_.error(), reader_.too_big() ? stanza_too_big : std::string_view{},
                          {"id-1", reader_.host(), {}}));
        driver_.eof(Side::client);
    }

    void hear(const std::vector<WebsocketMessage>& messages) {
        for (auto const& message : messages) {
            heard_.push_back(canonical(message.text));
            if (message.kind == StreamPiece::Kind::success) reader_.restart();
        }
    }

    void say(const std::vector<StreamPart>& parts, const std::string& rest) override {
        for (auto const& part : parts) {
            if (part.kind == StreamPart::Kind::header)
                unread_.push_back("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'" +
                                  written_header(part.attributes) + "/>");
            else
                unread_.push_back(part.kind == StreamPart::Kind::close ? ws_close : part.xml);
        }
        if (!rest.empty()) unread_.push_back(rest);
        settle();
    }

    std::vector<std::string> take_heard() override { return std::exchange(heard_, {}); }

    std::string compare_heard(const std::vector<StreamPart>& parts) override {
        std::vector<std::string> expected;
        for (auto const& part : parts) {
            if (part.kind == StreamPart::Kind::header)
                expected.push_back(meaning_of_open(part.attributes));
            else if (part.kind == StreamPart::Kind::close)
                expected.push_back(canonical(ws_close));
            else
                expected.push_back(must_be_heard(part));
        }
        return compare_elements(expected, take_heard());
    }

    WebsocketReader reader_;
    WebsocketWriter writer_;
    std::deque<std::string> unread_;
    std::vector<std::string> heard_;
};

// A client that always has a request open. Many may be, so that a test need not wait its turn.
class OverBosh final : public CarriedSession {
public:
    explicit OverBosh(GateDriver& driver) : CarriedSession(driver), client_(settings()) {}

    // There is no connection to be lost but those of requests.
    void client_ends() override {
        for (auto const id : open_) client_.lose(id);
        open_.clear();
        gone_ = true;
        client_.pass(std::chrono::minutes(10));
        settle();
    }

    void settle() override {
        for (;;) {
            client_.server(driver_.take(Side::client));
            if (driver_.closed()) client_.server_gone();
            client_.upstream_takes(takes());
            if (auto const bytes = client_.take_upstream(); !bytes.empty()) {
                driver_.send(Side::client, bytes);
                continue;
            }
            read_answers();
            if (client_.ended || !created_ || gone_ || !open_.empty()) break;
            send("", "");
        }
        if (client_.ended && !std::exchange(told_the_end_, true)) {
            driver_.eof(Side::client);
            settle();
        }
    }

private:
    static BoshSettings settings() {
        BoshSettings settings;
        settings.hold = 9;
        return settings;
    }

    void send(const std::string& attributes, const std::string& payload) {
        client_.pass(std::chrono::seconds(3));
        open_.push_back(client_.send_rid(++rid_, attributes, payload));
    }

    void read_answers() {
        std::erase_if(open_, [&](BoshRequestId id) {
            auto const answer = client_.answer(id);
            if (!answer) return false;
            auto const tag = answer->substr(0, answer->find('>') + 1);
            told_ += tag;
            auto elements = canonical_elements(*answer);
            heard_.insert(heard_.end(), elements.begin(), elements.end());
            return true;
        });
    }

    void say(const std::vector<StreamPart>& parts, const std::string& rest) override {
        std::string attributes;
        std::string payload;
        bool opens = false;
        for (auto const& part : parts) {
            if (part.kind == StreamPart::Kind::header) {
                opens = true;
                attributes = opening(part.attributes);
            } else if (part.kind == StreamPart::Kind::close) {
                attributes += " type='terminate'";
            } else {
                payload += part.xml;
            }
        }
        payload += rest;
        if (!parts.empty() || !rest.empty()) post(opens, attributes, payload);
        settle();
    }

    void post(bool opens, const std::string& attributes, const std::string& payload) {
        if (opens && std::exchange(created_, true)) {
            // XEP-0206 section 5: a restart has no payload.
            send(attributes + " xmpp:restart='true'", "");
            settle();
            if (!payload.empty()) send("", payload);
        } else if (opens) {
            open_.push_back(client_.send("rid='" + std::to_string(BoshClient::first_rid) +
                                             "' hold='9' wait='60' ver='1.6'" + attributes,
                                         payload));
        } else {
            send(attributes, payload);
        }
    }

    static std::string opening(const Attributes& header) {
        std::string text;
        auto const add = [&](std::string_view name, const std::optional<std::string>& value) {
            if (value) append_attribute(text, name, *value);
        };
        add("to", header.to);
        add("from", header.from);
        add("xml:lang", header.lang);
        add("xmpp:version", header.version);
        return text;
    }

    std::vector<std::string> take_heard() override { return std::exchange(heard_, {}); }

    std::string compare_heard(const std::vector<StreamPart>& parts) override {
        std::vector<std::string> expected;
        std::string difference = client_.broken_promise;
        for (auto const& part : parts) {
            if (part.kind == StreamPart::Kind::element) {
                expected.push_back(must_be_heard(part));
                if (part.is_error && told_.find("condition='remote-stream-error'") == told_.npos)
                    difference = "no remote-stream-error: " + told_;
            } else if (part.kind == StreamPart::Kind::close) {
                if (told_.find("type='terminate'") == told_.npos) difference = "not terminated";
            } else if (!std::exchange(header_heard_, true)) {
                header_due_ = part.attributes;
            }
        }
        if (header_due_ && !told_.empty()) {
            difference += compare_header(*header_due_);
            header_due_.reset();
        }
        auto const elements = compare_elements(expected, take_heard());
        return elements.empty() ? difference : elements;
    }

    // What the server's first header tells the response to the session request tells, or a later
    // one.
    std::string compare_header(const Attributes& header) const {
        if (told_.find("type='terminate'") != told_.npos) return "";
        std::string expected;
        auto const look_for = [&](std::string_view name, const std::optional<std::string>& value) {
            std::string text;
            if (value) append_attribute(text, name, *value);
            if (told_.find(text) == std::string::npos) expected += text;
        };
        look_for("from", header.from);
        look_for("authid", header.id);
        look_for("xmpp:version", header.version);
        return expected.empty() ? "" : "the client was not told" + expected + ", only " + told_;
    }

    BoshClient client_;
    unsigned rid_ = 0;
    bool created_ = false;
    bool gone_ = false;
    bool told_the_end_ = false;
    bool header_heard_ = false;
    std::optional<Attributes> header_due_;  // not yet told
    std::vector<BoshRequestId> open_;
    std::vector<std::string> heard_;
    std::string told_;  // the start tags of all <body/>
};

std::string listed(const std::vector<std::string>& elements) {
    std::string text;
    for (auto const& element : elements) text += "\n    " + element.substr(0, 300);
    return text.empty() ? "nothing" : text;
}

}  // namespace

void CarriedSession::client_sends(std::string_view bytes) {
    auto const parts = said_.cut(bytes);
    say(parts, said_.take_rest());
}

std::string CarriedSession::compare(Side side, std::string_view on_tcp) {
    if (side == Side::upstream) return compare_upstream(on_tcp);
    auto const parts = client_on_tcp_.cut(on_tcp);
    if (auto const rest = client_on_tcp_.take_rest(); !rest.empty())
        return "on tcp the client got what is no element: " + rest;
    auto const difference = compare_heard(parts);
    if (!parts.empty() && is_success(parts.back()) && driver_.relaying()) {
        said_.restart();
        upstream_on_tcp_.restart();
        upstream_here_.restart();
    }
    return difference;
}

std::string CarriedSession::compare_upstream(std::string_view on_tcp) {
    auto const expected = upstream_on_tcp_.cut(on_tcp);
    auto const got = upstream_here_.cut(driver_.take(Side::upstream));
    if (auto const rest = upstream_on_tcp_.take_rest() + upstream_here_.take_rest(); !rest.empty())
        return "the upstream got what is no element: " + rest;
    auto const words = [](const StreamPart& part) {
        switch (part.kind) {
            case StreamPart::Kind::header: {
                auto attributes = part.attributes;
                attributes.id.reset();
                return meaning_of_open(attributes);
            }
            case StreamPart::Kind::close:
                return std::string("</>");
            case StreamPart::Kind::element:
                break;
        }
        return part.xml;
    };
    std::vector<std::string> expected_words;
    std::vector<std::string> words_here;
    for (auto const& part : expected) expected_words.push_back(words(part));
    for (auto const& part : got) words_here.push_back(words(part));
    if (expected_words == words_here) return "";
    return "the upstream got " + listed(words_here) + "\ninstead of " + listed(expected_words);
}

std::string CarriedSession::compare_elements(const std::vector<std::string>& expected,
                                             const std::vector<std::string>& heard) const {
    if (expected == heard) return "";
    return "the client heard " + listed(heard) + "\ninstead of " + listed(expected);
}

std::string CarriedSession::must_be_heard(const StreamPart& part) const {
    auto const& language = client_on_tcp_.language();
    if (!part.is_stanza || language.empty()) return part.meaning;
    auto const standalone_again =
        standalone(part.xml, {{"", "'jabber:client'"}}, " xml:lang='" + language + "'");
    return canonical(standalone_again);
}

std::unique_ptr<CarriedSession> carried_session(ClientDoor door, GateDriver& driver,
                                                const config::Limits& limits) {
    switch (door) {
        case ClientDoor::tcp:
            break;
        case ClientDoor::websocket:
            return std::make_unique<OverWebsocket>(driver, limits);
        case ClientDoor::bosh:
            return std::make_unique<OverBosh>(driver);
    }
    return nullptr;
}

}  // namespace stanzagate::filters
