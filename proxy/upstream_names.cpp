#include "proxy/upstream_names.hpp"

#include <utility>

namespace stanzagate::proxy {

void UpstreamNames::resolve(const config::UpstreamAddress& address, Done done) {
    if (auto const literal = config::Address::parse(address.host))
        return done({{*literal, address.port}}, {});

    auto const found = names_.try_emplace({address.host, address.port}, loop_.deadlines()).first;
    auto& name = found->second;
    if (!name.endpoints.empty() && (name.late || Clock::now() < name.until))
        return done(name.endpoints, {});
    name.waiting.push_back(std::move(done));
    if (!name.asked) ask(found->first, name);
}

void UpstreamNames::ask(const Key& key, Name& name) {
    name.asked = true;
    if (!name.endpoints.empty()) name.patience.set(times_.patience);
    look_up_(key.first, key.second, [this, &key, &name](auto const& endpoints, auto error) {
        loop_.post([this, &key, &name, endpoints, error = std::string(error)] {
            on_answer(key, name, endpoints, error);
        });
    });
}

void UpstreamNames::on_answer(const Key& key, Name& name,
                              const std::vector<config::Endpoint>& endpoints,
                              std::string_view error) {
    name.asked = name.late = false;
    name.patience.cancel();
    bool const failed = endpoints.empty();
    if (!failed) name.endpoints = endpoints;
    name.until = Clock::now() + (failed ? times_.retry : times_.fresh);
    // Where nothing was known before, each session that fails for it says so.
    if (!name.endpoints.empty()) note(key, name, failed, error);
    name.tell(error);
}

void UpstreamNames::note(const Key& key, Name& name, bool failed, std::string_view error) {
    if (std::exchange(name.failing, failed) == failed) return;
    if (failed)
        log_.write_first(config::LogLevel::warning, "name_lookup_failed",
                         {{"name", key.first},
                          {"reason", error},
                          {"consequence", "the addresses that it had stay in use"}});
    else
        log_.write_first(config::LogLevel::info, "name_lookup_resumed", {{"name", key.first}});
}

void UpstreamNames::Name::on_late() {
    late = true;
    tell({});
}

// Those who wait now, and not who asks meanwhile. One after the other: where one throws, the others
// are told the next time.
void UpstreamNames::Name::tell(std::string_view error) {
    for (auto left = waiting.size(); left > 0; --left) {
        auto const done = std::move(waiting.front());
        waiting.pop_front();
        done(endpoints, endpoints.empty() ? error : std::string_view());
    }
}

}  // namespace stanzagate::proxy
