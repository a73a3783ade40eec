// XEP-0124 and XEP-0206 over TLS: a session on two HTTP connections that are kept, with at most one
// request on each, one of which the server keeps until it has something to say. What there is to
// send while both wait for answers goes out together in the next request.
#include "bench/load/bosh.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "bench/load/client.hpp"
#include "bench/load/door.hpp"
#include "bench/load/http.hpp"
#include "bench/load/xmpp.hpp"

namespace stanzagate::load {
namespace {

class BoshDoor final : public Door, private ClientOwner {
public:
    // The second connection is one of its own, that knows nothing of all this.
    void on_secured(Client& client) override {
        lines_[0].client = &client;
        target_ = client.target();
        target_.door = "direct";
        second_ = client.another(target_, *this);
    }

    void on_received(Client& client, std::string_view bytes) override {
        receive(lines_[&client == lines_[0].client ? 0 : 1], bytes);
    }

    // Nothing is sent for a header: an empty element is what opens a stream.
    std::string header(std::string_view /*host*/) const override { return {}; }

    void send(Client& client, std::string_view element) override {
        if (element.empty())
            opening_ = true;
        else
            unsent_ += with_namespace(element);
        send_unsent(client.host());
    }

    void on_close(Client& client) override {
        closing_ = true;
        request(client.host(), " type='terminate'");
        second_->close();
    }

private:
    struct Line {
        Client* client = nullptr;
        HttpReader responses{};
        bool waits = false;
        std::uint64_t rid = 0;                       // of the request that waits
        std::optional<HttpReader::Message> early{};  // its answer, before that of an older one
    };

    void on_open(Client& second) override {
        lines_[1].client = &second;
        second.flush();  // what follows is for the first
        lines_[0].client->opened();
    }
    void on_played(Client& /*second*/) override {}
    void on_closed(Client& /*second*/) override {}
    void on_failed(Client& /*second*/, const std::string& why) override {
        lines_[0].client->fail(why);
    }

    void receive(Line& line, std::string_view bytes) {
        line.responses.feed(bytes);
        while (auto response = line.responses.next()) {
            line.early = std::move(response);
            answer_in_order();
        }
    }

    // Two connections: what was said later may be here earlier (XEP-0124 section 14).
    void answer_in_order() {
        auto& older = lines_[0].waits && (!lines_[1].waits || lines_[0].rid < lines_[1].rid)
                          ? lines_[0]
                          : lines_[1];
        for (auto* const line : {&older, &older == &lines_[0] ? &lines_[1] : &lines_[0]}) {
            if (!line->waits) continue;
            if (!line->early) return;
            line->waits = false;
            answered(*std::exchange(line->early, std::nullopt));
        }
    }

    void answered(const HttpReader::Message& response) {
        if (!response.head.starts_with("HTTP/1.1 200 ") ||
            !bosh_attribute(response.body, "type").empty())
            throw std::runtime_error("BOSH failed: " + response.head + response.body);
        if (sid_.empty()) sid_ = bosh_attribute(response.body, "sid");
        auto& client = *lines_[0].client;
        auto const payload = bosh_payload(response.body);
        if (!payload.empty()) client.arrived(payload);
        send_unsent(client.host());
        // The server must have a request to answer.
        if (!closing_ && !lines_[0].waits && !lines_[1].waits) request(client.host(), "");
    }

    void send_unsent(std::string_view host) {
        if (closing_ || (lines_[0].waits && lines_[1].waits)) return;
        if (std::exchange(opening_, false)) return open(host);
        if (!unsent_.empty()) request(host, "", std::exchange(unsent_, {}));
    }

    void open(std::string_view host) {
        constexpr std::string_view xmpp = " xmlns:xmpp='urn:xmpp:xbosh'";
        auto const to = " to='" + std::string(host) + "' xml:lang='en'" + std::string(xmpp);
        if (sid_.empty())
            request(host, to + " wait='60' hold='1' ver='1.11' xmpp:version='1.0'");
        else
            request(host, to + " xmpp:restart='true'");
    }

    // On the connection that was not used last, where both are free.
    void request(std::string_view host, std::string_view attributes,
                 const std::string& payload = {}) {
        auto& line = lines_[lines_[next_].waits ? 1 - next_ : next_];
        next_ = &line == &lines_[0] ? 1 : 0;
        line.waits = true;
        line.rid = rid_ + 1;
        auto const sid = sid_.empty() ? std::string() : " sid='" + sid_ + '\'';
        auto const body = bosh_body(
            " rid='" + std::to_string(++rid_) + '\'' + sid + std::string(attributes), payload);
        auto const post = http_post(host, bosh_path, body);
        line.client->send_records(post, post.size());
    }

    std::array<Line, 2> lines_;
    std::size_t next_ = 0;
    Target target_;
    std::unique_ptr<Client> second_;
    std::string sid_;
    std::uint64_t rid_ = 4'000'000'000;
    std::string unsent_;
    bool opening_ = false;
    bool closing_ = false;
};

}  // namespace

std::unique_ptr<Door> make_bosh_door() {
    return std::make_unique<BoshDoor>();
}

}  // namespace stanzagate::load
