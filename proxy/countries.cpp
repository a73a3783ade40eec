#include "proxy/countries.hpp"

#include <fcntl.h>
#include <maxminddb.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>
#include <variant>

#include "proxy/error_text.hpp"
#include "proxy/fd.hpp"
#include "proxy/socket_address.hpp"

namespace stanzagate::proxy {
namespace {

constexpr off_t largest_file = off_t{512} << 20U;  // GeoLite2-City, the largest of them, has 60 MiB

bool is_same(const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool write_all(int to, std::string_view bytes) {
    while (!bytes.empty()) {
        ssize_t const written = ::write(to, bytes.data(), bytes.size());
        if (written < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// The file's bytes in memory that nobody else can get at, or why that cannot be had. The library
// maps the file it opens, and reading a mapped file that was cut kills the process (SIGBUS,
// mmap(2)).
std::variant<Fd, std::string> copy_of(const std::filesystem::path& file) {
    // O_NONBLOCK: a FIFO would block.
    Fd const from(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat before{};
    if (!from || ::fstat(from.get(), &before) != 0) return error_text(errno);
    if (!S_ISREG(before.st_mode)) return "it is not a file";
    if (before.st_size > largest_file) return "it has more than 512 MiB";

    Fd copy(::memfd_create("stanzagate-countries", MFD_CLOEXEC));
    if (!copy) return error_text(errno);
    std::array<char, 65'536> part{};
    off_t size = 0;
    while (ssize_t const count = ::read(from.get(), part.data(), part.size())) {
        if (count < 0 || !write_all(copy.get(), {part.data(), static_cast<std::size_t>(count)}))
            return error_text(errno);
        size += count;
        if (size > largest_file) return "it has more than 512 MiB";
    }
    struct stat after{};
    if (::fstat(from.get(), &after) != 0) return error_text(errno);
    if (size != after.st_size || !is_same(before.st_mtim, after.st_mtim))
        return "it was written to meanwhile; try again, or replace it by renaming";
    return copy;
}

// A library's message for what went wrong, with a word on what to do.
std::string mmdb_reason(int status) {
    if (status == MMDB_INVALID_METADATA_ERROR)
        return "it is no database in the MaxMind DB format (.mmdb), or only a part of one";
    return MMDB_strerror(status);
}

bool has_countries(std::string_view type) {
    return std::ranges::any_of(
        std::array<std::string_view, 3>{"Country", "City", "Enterprise"},
        [type](auto kind) { return type.find(kind) != std::string_view::npos; });
}

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool is_code(std::string_view code) {
    return code.size() == 2 &&
           std::ranges::all_of(code, [](char c) { return upper(c) >= 'A' && upper(c) <= 'Z'; });
}

}  // namespace

void Countries::Close::operator()(MMDB_s* database) const {
    MMDB_close(database);
    delete database;
}

std::shared_ptr<const Countries> Countries::load(const std::filesystem::path& file,
                                                 const config::Position& where,
                                                 config::Diagnostics& diagnostics) {
    auto const name = config::in_quotes(file.string());
    auto const cannot_read = [&](const std::string& why) {
        diagnostics.error(where, "server.geoip: cannot read " + name + ": " + why);
        return nullptr;
    };
    auto const copy = copy_of(file);
    if (auto const* const why = std::get_if<std::string>(&copy)) return cannot_read(*why);

    // The library wants a name.
    auto const path = "/proc/self/fd/" + std::to_string(std::get<Fd>(copy).get());
    auto opened = std::make_unique<MMDB_s>();
    if (int const status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, opened.get());
        status == MMDB_FILE_OPEN_ERROR)
        return cannot_read("its copy is not at " + path + ": is /proc mounted?");
    else if (status != MMDB_SUCCESS)
        return cannot_read(mmdb_reason(status));
    Database database(opened.release());

    std::string_view const type = database->metadata.database_type;
    if (!has_countries(type))
        diagnostics.warning(where, "server.geoip: " + name + " is a database of the type " +
                                       config::in_quotes(type) +
                                       ", which may know no countries: use GeoLite2-Country or "
                                       "one like it");
    return std::shared_ptr<const Countries>(new Countries(std::move(database)));
}

std::string Countries::of(const config::Address& address) const {
    auto const socket_address = to_socket_address({address, 0});
    int error = MMDB_SUCCESS;
    auto found = MMDB_lookup_sockaddr(database_.get(), socket_address.get(), &error);
    if (error != MMDB_SUCCESS || !found.found_entry) return {};
    MMDB_entry_data_s data{};
    error = MMDB_get_value(&found.entry, &data, "country", "iso_code", nullptr);
    if (error != MMDB_SUCCESS || !data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING)
        return {};
    std::string code(data.utf8_string, data.data_size);
    if (!is_code(code)) return {};
    std::ranges::transform(code, code.begin(), upper);
    return code;
}

}  // namespace stanzagate::proxy
