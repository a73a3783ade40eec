#include "filters/gate.hpp"

#include <utility>

#include "filters/jid.hpp"
#include "filters/stream_version.hpp"

// The gate's events and phases. What single elements mean to it stands in gate_elements.cpp.
namespace stanzagate::filters {
namespace {

FrameLimits client_limits(const config::Config& config) {
    return {config.limits.stanza_size, config.limits.stanza_depth, config.limits.attributes};
}

// A packet full of requests may ask for fifty times its size in answers.
constexpr std::size_t enough_at_once = std::size_t{64} * 1024;

}  // namespace

Gate::Gate(const Policy& policy, World& world, Peer peer, Door door, std::string stream_id)
    : policy_(&policy), world_(world), peer_(peer), phase_(Phase::clear) {
    if (door == Door::secure) {
        begin_secure(std::move(stream_id));
    } else {
        clear_ = std::make_unique<ClearStream>(policy.config(), client_limits(policy.config()),
                                               std::move(stream_id));
    }
}

// Nobody knows any more what became of a registration that the upstream has not answered: it counts
// as done, or whoever hangs up in time would never use up a quota.
Gate::~Gate() {
    settle(true);
    drop_invitation();
}

void Gate::use(const Policy& policy) {
    policy_ = &policy;
    if (clear_) clear_->use(policy.config());
    if (host_) host_ = policy.config().find_host(host_name_);
}

void Gate::begin_secure(std::string stream_id) {
    clear_.reset();
    client_ = std::make_unique<StanzaFramer>(client_limits(policy_->config()));
    stream_id_ = std::move(stream_id);
    phase_ = Phase::opening;
}

Effects Gate::receive(Side from, std::string_view bytes) {
    Effects out;
    if (phase_ == Phase::over) return out;
    if (from == Side::client) {
        client_bytes_ += bytes.size();
        if (client_bytes_ > policy_->config().limits.negotiation_bytes) {
            fail(StreamErrorCondition::policy_violation, {}, out);
            return out;
        }
    }
    if (phase_ == Phase::clear) {
        clear_->receive(bytes, out);
        if (out.command == Command::start_tls) phase_ = Phase::securing;
        if (out.command == Command::close) phase_ = Phase::over;
        return out;
    }
    if (phase_ == Phase::securing) {
        // Bytes in the clear behind <starttls/>.
        close(out);
        return out;
    }
    auto const& framer = from == Side::client ? client_ : upstream_;
    if (!framer) return out;
    framer->feed(bytes);
    pump(out);
    return out;
}

Effects Gate::tls_done(std::string stream_id) {
    if (phase_ == Phase::securing) begin_secure(std::move(stream_id));
    return {};
}

Effects Gate::upstream_ready() {
    Effects out;
    if (phase_ != Phase::connecting) return out;
    upstream_ = std::make_unique<StanzaFramer>(upstream_limits);
    out.to_upstream = std::exchange(client_header_, {});
    phase_ = Phase::open;
    pump(out);
    return out;
}

Effects Gate::upstream_failed() {
    Effects out;
    fail(StreamErrorCondition::internal_server_error, {}, out);
    return out;
}

Effects Gate::go_on() {
    Effects out;
    pump(out);
    return out;
}

Effects Gate::looked_up() {
    Effects out;
    if (phase_ == Phase::over) return out;
    if (hold_ == Hold::look_up) hold_ = Hold::none;
    if (auto const features = std::move(kept_features_))
        on_features(features->frame, std::move(features->asked), out);
    if (auto const element = std::move(kept_element_); element && phase_ == Phase::open)
        on_registration(element->frame, *registration_request(element->frame),
                        std::move(element->asked), out);
    pump(out);
    return out;
}

Effects Gate::delay_over() {
    Effects out;
    auto const delayed = std::exchange(delayed_, std::nullopt);
    if (phase_ == Phase::over || !delayed) return out;
    hold_ = Hold::none;
    deliver(*delayed, out);
    pump(out);
    return out;
}

Effects Gate::eof(Side from) {
    Effects out;
    if (phase_ == Phase::over) return out;
    if (from == Side::client) {
        // A client that closed its stream may wait for the upstream's own close (RFC 6120 4.4).
        bool const waits = phase_ == Phase::open && client_closed_ && !upstream_closed_;
        if (!waits) close(out);
        return out;
    }
    settle(false);
    if (upstream_closed_ || upstream_erred_)
        close(out);
    else
        fail(StreamErrorCondition::internal_server_error, {}, out);
    return out;
}

Effects Gate::timed_out() {
    Effects out;
    fail(StreamErrorCondition::policy_violation, {}, out);
    return out;
}

Effects Gate::draining() {
    Effects out;
    fail(StreamErrorCondition::system_shutdown, {}, out);
    return out;
}

bool Gate::wants(Side side) const {
    if (unfinished_) return false;
    switch (phase_) {
        case Phase::clear:
        case Phase::securing:
        case Phase::opening:
            return side == Side::client;
        case Phase::connecting:
            return false;
        case Phase::open:
            return side == Side::upstream ? !kept_features_ : hold_ == Hold::none;
        case Phase::over:
            return false;
    }
    return false;
}

// The upstream goes first: its answers are what held-back client elements wait for.
void Gate::pump(Effects& out) {
    unfinished_ = false;
    while (phase_ == Phase::opening || phase_ == Phase::open) {
        if (out.to_client.size() + out.to_upstream.size() >= enough_at_once) {
            unfinished_ = true;
            return;
        }
        if (!step_upstream(out) && !step_client(out)) break;
    }
}

bool Gate::step_client(Effects& out) {
    if (phase_ == Phase::over || hold_ != Hold::none) return false;
    auto const* const frame = client_->next();
    if (!frame) {
        auto const error = client_->error();
        if (error) fail(*error, client_->too_big() ? stanza_too_big : std::string_view{}, out);
        return false;
    }
    switch (frame->kind) {
        case Frame::Kind::stream_open:
            on_client_header(*frame, out);
            break;
        case Frame::Kind::filler:
            out.to_upstream += frame->raw;
            break;
        case Frame::Kind::stream_close:
            client_closed_ = true;
            out.to_upstream += frame->raw;
            break;
        case Frame::Kind::stanza:
            // Nothing can be answered any more behind the upstream's closing tag.
            if (!upstream_closed_) on_client_element(*frame, out);
            break;
    }
    return true;
}

bool Gate::step_upstream(Effects& out) {
    if (phase_ != Phase::open || kept_features_) return false;
    auto const* const frame = upstream_->next();
    if (!frame) {
        if (upstream_->error()) fail(StreamErrorCondition::internal_server_error, {}, out);
        return false;
    }
    switch (frame->kind) {
        case Frame::Kind::stream_open:
            on_upstream_header(*frame, out);
            break;
        case Frame::Kind::filler:
            out.to_client += frame->raw;
            break;
        case Frame::Kind::stream_close:
            upstream_closed_ = true;
            out.to_client += frame->raw;
            break;
        case Frame::Kind::stanza:
            on_upstream_element(*frame, out);
            break;
    }
    return true;
}

void Gate::on_client_header(const Frame& header, Effects& out) {
    auto const& attributes = header.attributes;
    if (attributes.qualified) return fail(StreamErrorCondition::bad_format, {}, out);
    lax_reading_.note(header);
    client_from_ = attributes.from.value_or("");
    stream_lang_ = attributes.lang.value_or("");
    features_expected_ = has_features(attributes.version);
    host_name_ = domain_of(attributes.to.value_or(""));
    if (host_name_.empty()) return fail(StreamErrorCondition::improper_addressing, {}, out);
    host_ = policy_->config().find_host(host_name_);
    if (!host_) return fail(StreamErrorCondition::host_unknown, {}, out);
    client_header_ = header.raw;
    phase_ = Phase::connecting;
    out.command = Command::connect;
    out.host = host_;
}

void Gate::on_upstream_header(const Frame& header, Effects& out) {
    features_expected_ = features_expected_ && has_features(header.attributes.version);
    root_name_ = written_name(header.raw.substr(header.root.begin));
    opened_ = true;
    out.to_client += header.raw;
    release_answers(out);
}

void Gate::relay(Effects& out) {
    out.to_client += upstream_->rest();
    out.to_upstream += client_->rest();
    out.command = Command::relay;
    phase_ = Phase::over;
}

void Gate::answer_client(const std::string& xml, Effects& out) {
    if (may_answer()) {
        out.to_client += xml;
        return;
    }
    waiting_answers_ += xml;
    hold_ = Hold::features;
}

void Gate::release_answers(Effects& out) {
    if (hold_ != Hold::features || !may_answer()) return;
    out.to_client += std::exchange(waiting_answers_, {});
    hold_ = Hold::none;
}

void Gate::fail(StreamErrorCondition condition, std::string_view detail, Effects& out) {
    if (phase_ == Phase::over) return;
    if (phase_ == Phase::clear) {
        clear_->fail(condition, out);
    } else if (phase_ != Phase::securing && !upstream_closed_ && !upstream_erred_) {
        open_client_stream(out);
        out.to_client += stream_error(condition, detail, root_name_);
        out.stream_error = condition;
    }
    close(out);
}

// A last word needs a stream to stand in: the gate's own header goes out where no other did.
void Gate::open_client_stream(Effects& out) {
    if (std::exchange(opened_, true)) return;
    auto const from = host_ ? std::string_view(host_name_) : std::string_view{};
    out.to_client += stream_header({stream_id_, from, client_from_});
}

void Gate::close(Effects& out) {
    out.command = Command::close;
    unfinished_ = false;
    phase_ = Phase::over;
}

}  // namespace stanzagate::filters
