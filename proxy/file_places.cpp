#include "proxy/file_places.hpp"

#include <deque>
#include <system_error>

namespace stanzagate::proxy {
namespace {

namespace fs = std::filesystem;

constexpr int most_links = 40;  // as the kernel: path_resolution(7)

}  // namespace

std::vector<FilePlace> places_of(const fs::path& file) {
    std::vector<FilePlace> places;
    std::error_code error;
    auto const whole = fs::absolute(file, error);
    if (error) return places;

    fs::path at = whole.root_path();
    auto const relative = whole.relative_path();
    std::deque<fs::path> rest(relative.begin(), relative.end());
    for (int links = 0; !rest.empty();) {
        auto const name = rest.front();
        rest.pop_front();
        if (name.empty() || name == ".") continue;
        if (name == "..") {
            at = at.parent_path();
            continue;
        }
        auto const type = fs::symlink_status(at / name, error).type();
        if (type == fs::file_type::symlink) {
            places.push_back({at, name.string()});
            auto const target = fs::read_symlink(at / name, error);
            if (error || ++links > most_links) return places;
            if (target.is_absolute()) at = target.root_path();
            auto const parts = target.relative_path();
            rest.insert(rest.begin(), parts.begin(), parts.end());
        } else if (type == fs::file_type::directory && !rest.empty()) {
            at /= name;
        } else {
            places.push_back({at, name.string()});
            return places;
        }
    }
    return places;
}

}  // namespace stanzagate::proxy
