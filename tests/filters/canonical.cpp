#include "tests/filters/canonical.hpp"

#include <expat.h>

#include <map>

namespace stanzagate::filters {
namespace {

struct Writer {
    unsigned level;  // of the elements to be written
    unsigned depth;
    std::vector<std::string> elements;

    static void XMLCALL start(void* self, const XML_Char* name, const XML_Char** attributes) {
        auto& writer = *static_cast<Writer*>(self);
        if (writer.depth == writer.level) writer.elements.emplace_back();
        if (writer.depth++ < writer.level) return;
        std::map<std::string, std::string> sorted;
        for (; *attributes; attributes += 2) sorted[attributes[0]] = attributes[1];
        auto& text = writer.elements.back();
        text += std::string("<") + name;
        for (auto const& [key, value] : sorted) text += " " + key + "=[" + value + "]";
        text += ">";
    }
    static void XMLCALL end(void* self, const XML_Char*) {
        auto& writer = *static_cast<Writer*>(self);
        if (--writer.depth >= writer.level) writer.elements.back() += "</>";
    }
    static void XMLCALL characters(void* self, const XML_Char* text, int size) {
        auto& writer = *static_cast<Writer*>(self);
        if (writer.depth > writer.level)
            writer.elements.back().append(text, static_cast<std::size_t>(size));
    }
};

// False where it is not well-formed.
bool write(Writer& writer, std::string_view xml, bool whole) {
    XML_Parser parser = XML_ParserCreateNS(nullptr, '\n');
    XML_SetUserData(parser, &writer);
    XML_SetElementHandler(parser, Writer::start, Writer::end);
    XML_SetCharacterDataHandler(parser, Writer::characters);
    auto const status = XML_Parse(parser, xml.data(), static_cast<int>(xml.size()), whole);
    XML_ParserFree(parser);
    return status == XML_STATUS_OK;
}

}  // namespace

std::string canonical(std::string_view document) {
    Writer writer{.level = 0, .depth = 0, .elements = {}};
    if (!write(writer, document, true)) return "";
    return writer.elements.front();
}

std::vector<std::string> canonical_elements(std::string_view stream) {
    Writer writer{.level = 1, .depth = 0, .elements = {}};
    if (!write(writer, stream, false)) writer.elements.emplace_back("broken");
    return writer.elements;
}

}  // namespace stanzagate::filters
