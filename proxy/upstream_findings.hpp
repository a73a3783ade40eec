#pragma once

#include <string>
#include <vector>

#include "proxy/finding.hpp"
#include "proxy/upstream_examination.hpp"

// What is wrong at an upstream, judged by what was seen there. Pure.
namespace stanzagate::proxy {

std::vector<Finding> judge(const Examination& seen);

// What is good to know besides, a line each: which server it is, and what it does.
std::vector<std::string> facts(const Examination& seen);

}  // namespace stanzagate::proxy
