#include "proxy/file_stamp.hpp"

#include <sys/stat.h>

#include <ctime>

namespace stanzagate::proxy {
namespace {

std::intmax_t nanoseconds(const timespec& time) {
    return std::intmax_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileStamp FileStamp::of(const std::filesystem::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) return {};
    return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
            nanoseconds(status.st_ctim)};
}

}  // namespace stanzagate::proxy
