#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stanzagate::proxy::testing {

// What goes to standard error while it lives, where Log writes: declare it before what logs.
class CapturedLog {
public:
    CapturedLog() { ::testing::internal::CaptureStderr(); }
    ~CapturedLog() { ::testing::internal::GetCapturedStderr(); }
    CapturedLog(const CapturedLog&) = delete;
    CapturedLog& operator=(const CapturedLog&) = delete;

    // All of it until now.
    const std::string& text() {
        text_ += ::testing::internal::GetCapturedStderr();
        ::testing::internal::CaptureStderr();
        return text_;
    }
    // The same by lines, without their times; of one event, where it is named.
    std::vector<std::string> lines(std::string_view event = {}) {
        std::istringstream text(this->text());
        std::vector<std::string> found;
        auto const wanted = "event=" + std::string(event) + (event.empty() ? "" : " ");
        for (std::string line; std::getline(text, line);)
            if (line.find(wanted) != std::string::npos)
                found.push_back(line.substr(line.find("level=")));
        return found;
    }
    // The same, and what comes next is all that there is.
    std::string take() {
        text();
        return std::exchange(text_, {});
    }

private:
    std::string text_;
};

}  // namespace stanzagate::proxy::testing
