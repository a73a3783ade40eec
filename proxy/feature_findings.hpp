#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "proxy/finding.hpp"

namespace stanzagate::proxy {

// What is wrong with a server's stream features, for one that stands behind a gate. Part of
// judge(). Pure.
std::vector<Finding> judge_features(const filters::OfferedFeatures& offered,
                                    const config::UpstreamAddress& address,
                                    const AdviceFor& advice);

// `address = "tls://10.0.0.5:5223"`: the same place by another scheme.
std::string address_line(config::UpstreamAddress address, config::UpstreamScheme scheme);

}  // namespace stanzagate::proxy
