#pragma once

#include <gtest/gtest.h>

#include <string>

namespace stanzagate::config {

// Names the cases of a table test by their `name` field, which is a C identifier.
struct NamedCase {
    template <class Case>
    std::string operator()(const testing::TestParamInfo<Case>& info) const {
        return std::string(info.param.name);
    }
};

}  // namespace stanzagate::config
