#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

// Runs a fuzz target over every file of the given folders, where there is no libFuzzer: so its
// corpus is a test of every build. A file whose promise is broken aborts, as in a fuzzer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::size_t replay(const std::filesystem::path& folder) {
    std::size_t files = 0;
    for (auto const& entry : std::filesystem::directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream stream(entry.path(), std::ios::binary);
        std::vector<char> const bytes{std::istreambuf_iterator<char>(stream), {}};
        std::vector<std::uint8_t> const data(bytes.begin(), bytes.end());
        std::printf("%s\n", entry.path().filename().string().c_str());
        std::fflush(stdout);  // so that the last line names the one that aborts
        static_cast<void>(LLVMFuzzerTestOneInput(data.data(), data.size()));
        ++files;
    }
    return files;
}

}  // namespace

int main(int count, char** arguments) try {
    std::size_t files = 0;
    for (int i = 1; i < count; ++i) files += replay(arguments[i]);
    std::printf("%zu files\n", files);
    return files == 0 ? 1 : 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
