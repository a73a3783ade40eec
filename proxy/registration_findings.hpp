#pragma once

#include <string>
#include <vector>

#include "proxy/finding.hpp"
#include "proxy/upstream_examination.hpp"

// What an upstream that answers does about in-band registration, and what is wrong with that. Part
// of judge() and facts(). Pure.
namespace stanzagate::proxy {

std::vector<Finding> judge_registration(const Examination& seen, const AdviceFor& advice);
std::vector<std::string> registration_facts(const Examination& seen);

}  // namespace stanzagate::proxy
