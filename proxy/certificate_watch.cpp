#include "proxy/certificate_watch.hpp"

#include <map>
#include <utility>

#include "certs/validity.hpp"
#include "proxy/log_diagnostics.hpp"

namespace stanzagate::proxy {
namespace {

using certs::CertificateStore;
using certs::IdentitySet;

constexpr std::chrono::hours day{24};

struct Change {
    std::string hosts;  // "example.org,*.example.org"
    std::string files;
    std::string expires;
};

// What one store shows and the other, of the same configuration, did not.
std::vector<Change> changes_between(const CertificateStore& before, const CertificateStore& now) {
    std::vector<Change> changes;
    std::map<const IdentitySet*, std::size_t> places;
    for (std::size_t i = 0; i < now.entries().size(); ++i) {
        auto const& entry = now.entries()[i];
        if (entry.identity == before.entries().at(i).identity) continue;
        auto const [place, is_new] = places.emplace(entry.identity.get(), changes.size());
        if (is_new)
            changes.push_back({entry.name.to_string(), entry.identity->name(),
                               certs::date_text(entry.identity->expires())});
        else
            changes[place->second].hosts += ',' + entry.name.to_string();
    }
    return changes;
}

}  // namespace

CertificateWatch::CertificateWatch(boost::asio::io_context& background, const Log& log, Take take,
                                   FileReloadSettings settings)
    : log_(log),
      take_(std::move(take)),
      reload_(
          background, [this](FileReload::Attempt attempt) { return read(attempt); }, settings),
      day_(background) {
    wait_for_day();
}

void CertificateWatch::watch(std::shared_ptr<const Snapshot> snapshot) {
    snapshot_ = std::move(snapshot);
    store_ = snapshot_->certificates;
    is_first_ = true;
    reload_.watch(store_->files());
}

bool CertificateWatch::read(FileReload::Attempt attempt) {
    config::Diagnostics found;
    auto const before = store_;
    auto const store = std::make_shared<const CertificateStore>(
        before->reload(snapshot_->config, found, std::chrono::system_clock::now()));
    tell(found, attempt);
    take(store);
    // In a folder there may be others now.
    if (store->files() != before->files()) reload_.watch(store->files());
    return !found.has_errors();
}

void CertificateWatch::take(const Store& store) {
    auto const changes = changes_between(*store_, *store);
    store_ = store;
    if (changes.empty()) return;
    ++reloads_.ok;
    take_(store, [&log = log_, changes] {
        for (auto const& change : changes)
            log.info("certificate_reloaded", {Field::in_full("host", change.hosts),
                                              Field::in_full("file", change.files),
                                              {"expires", change.expires}});
    });
}

// Errors in the end, and later those that are new; warnings once, those too that go with errors.
void CertificateWatch::tell(const config::Diagnostics& found, FileReload::Attempt attempt) {
    using Attempt = FileReload::Attempt;
    config::Diagnostics untold;
    std::set<std::string> told;
    for (auto const& diagnostic : found.all()) {
        bool const is_error = diagnostic.severity == config::Severity::error;
        if (is_error && attempt == Attempt::one_of_many) continue;
        auto const text = diagnostic.to_string();
        bool const is_new = told.insert(text).second && !told_.contains(text);
        if (is_error ? is_new || attempt == Attempt::last : is_new && !is_first_)
            untold.add(diagnostic);
    }
    told_ = std::move(told);
    is_first_ = false;
    if (untold.has_errors()) ++reloads_.failed;
    log_diagnostics(log_, "certificate", untold, "the certificate in use stays");
}

void CertificateWatch::wait_for_day() {
    day_.expires_after(day);
    day_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        wait_for_day();
        if (store_) reload_.read_again();
    });
}

}  // namespace stanzagate::proxy
