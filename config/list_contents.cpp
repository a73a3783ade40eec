#include "config/list_contents.hpp"

#include "config/list_file.hpp"

namespace stanzagate::config {

ListContents read_lists(const Config& config, Diagnostics& diagnostics) {
    ListContents contents;
    contents.reserve(config.lists.size());
    for (const NamedList& list : config.lists) {
        std::shared_ptr<const NetworkSet>& content = contents.emplace_back();
        if (!list.file) continue;
        auto read = read_list_file(*list.file, list.where, diagnostics);
        content = std::make_shared<const NetworkSet>(read ? *std::move(read) : NetworkSet());
    }
    return contents;
}

bool read_list_again(const NamedList& list, std::shared_ptr<const NetworkSet>& content,
                     Diagnostics& diagnostics) {
    Diagnostics found;
    auto read = read_list_file(*list.file, list.where, found);
    for (const Diagnostic& diagnostic : found.all()) {
        if (diagnostic.severity == Severity::error)
            diagnostics.warning(diagnostic.where,
                                diagnostic.message + "; the list stays as it was read last");
        else
            diagnostics.add(diagnostic);
    }
    if (!read) return false;
    content = std::make_shared<const NetworkSet>(*std::move(read));
    return true;
}

}  // namespace stanzagate::config
