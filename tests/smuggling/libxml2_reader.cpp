#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include <memory>

#include "tests/smuggling/reading.hpp"

namespace stanzagate::smuggling {
namespace {

std::string text_of(const xmlChar* characters) {
    return characters ? reinterpret_cast<const char*>(characters) : "";
}

TreeBuilder& builder(void* context) {
    return *static_cast<TreeBuilder*>(static_cast<xmlParserCtxtPtr>(context)->_private);
}

// `attributes`: local name, prefix, namespace, begin and end of the value, of each.
void on_start(void* context, const xmlChar* local, const xmlChar*, const xmlChar* uri, int,
              const xmlChar**, int count, int, const xmlChar** attributes) {
    std::map<std::string, std::string> found;
    for (int i = 0; i < count; ++i, attributes += 5) {
        auto const ns = text_of(attributes[2]);
        found[(ns.empty() ? "" : ns + "\n") + text_of(attributes[0])] =
            std::string(attributes[3], attributes[4]);
    }
    builder(context).start(text_of(uri), text_of(local), std::move(found));
}

void on_end(void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
    builder(context).end();
}

void on_text(void* context, const xmlChar* characters, int size) {
    builder(context).text(
        {reinterpret_cast<const char*>(characters), static_cast<std::size_t>(size)});
}

// XML 1.0 section 2.11 holds for CDATA too, but this parser forgets it when it is pushed.
void on_cdata(void* context, const xmlChar* characters, int size) {
    std::string text;
    std::string_view const written(reinterpret_cast<const char*>(characters),
                                   static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < written.size(); ++i) {
        if (written[i] != '\r')
            text += written[i];
        else if (!written.substr(i).starts_with("\r\n"))
            text += '\n';
    }
    builder(context).text(text);
}

void on_error(void*, xmlErrorPtr) {}  // it is asked for afterwards

}  // namespace

Reading read_with_libxml2(std::string_view stream) {
    TreeBuilder builder;
    xmlSAXHandler handler{};
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = on_start;
    handler.endElementNs = on_end;
    handler.characters = on_text;
    handler.cdataBlock = on_cdata;
    handler.serror = on_error;
    std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> const parser(
        xmlCreatePushParserCtxt(&handler, nullptr, nullptr, 0, nullptr), xmlFreeParserCtxt);
    parser->_private = &builder;
    xmlCtxtUseOptions(parser.get(), XML_PARSE_NOENT | XML_PARSE_NONET);
    // A namespace that is no URI is an error to it that stops nothing, as in XML itself.
    for (auto const& byte : stream) {
        xmlParseChunk(parser.get(), &byte, 1, 0);
        if (!parser->wellFormed) break;
    }
    xmlParseChunk(parser.get(), nullptr, 0, 1);
    if (!parser->wellFormed) {
        auto const* const message = parser->lastError.message;
        builder.reading.error = message ? message : "not well-formed";
    }
    return builder.reading;
}

}  // namespace stanzagate::smuggling
