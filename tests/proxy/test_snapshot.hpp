#pragma once

#include <memory>
#include <string_view>

#include "proxy/snapshot.hpp"

namespace stanzagate::proxy::testing {

// A configuration and what belongs to it, from TOML; hosts are self-signed.
std::shared_ptr<const Snapshot> snapshot_of(std::string_view toml);

// One host, example.org, behind `direct`; its upstream is never reached.
std::shared_ptr<const Snapshot> usual_snapshot();

}  // namespace stanzagate::proxy::testing
