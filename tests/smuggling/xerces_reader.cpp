#include <memory>
#include <xercesc/framework/MemBufInputSource.hpp>
#include <xercesc/sax2/Attributes.hpp>
#include <xercesc/sax2/DefaultHandler.hpp>
#include <xercesc/sax2/SAX2XMLReader.hpp>
#include <xercesc/sax2/XMLReaderFactory.hpp>
#include <xercesc/util/PlatformUtils.hpp>
#include <xercesc/util/TransService.hpp>
#include <xercesc/util/XMLUni.hpp>

#include "tests/smuggling/reading.hpp"

namespace stanzagate::smuggling {
namespace {

using namespace xercesc;

std::string utf8(const XMLCh* text) {
    TranscodeToStr const transcoded(text, "UTF-8");
    return reinterpret_cast<const char*>(transcoded.str());
}

class Handler : public DefaultHandler {
public:
    void startElement(const XMLCh* uri, const XMLCh* local, const XMLCh*,
                      const Attributes& attributes) override {
        std::map<std::string, std::string> found;
        for (XMLSize_t i = 0; i < attributes.getLength(); ++i) {
            auto const ns = utf8(attributes.getURI(i));
            auto const name = (ns.empty() ? "" : ns + "\n") + utf8(attributes.getLocalName(i));
            found[name] = utf8(attributes.getValue(i));
        }
        builder.start(utf8(uri), utf8(local), std::move(found));
    }
    void endElement(const XMLCh*, const XMLCh*, const XMLCh*) override { builder.end(); }
    void characters(const XMLCh* text, const XMLSize_t size) override {
        TranscodeToStr const transcoded(text, size, "UTF-8");
        builder.text({reinterpret_cast<const char*>(transcoded.str()), transcoded.length()});
    }
    void error(const SAXParseException& error) override { fatalError(error); }
    void fatalError(const SAXParseException& error) override {
        if (builder.reading.error.empty()) builder.reading.error = utf8(error.getMessage());
        throw error;
    }

    TreeBuilder builder;
};

struct Library {
    Library() { XMLPlatformUtils::Initialize(); }
    ~Library() { XMLPlatformUtils::Terminate(); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
};

}  // namespace

Reading read_with_xerces(std::string_view stream) {
    static const Library library;
    Handler handler;
    std::unique_ptr<SAX2XMLReader> const reader(XMLReaderFactory::createXMLReader());
    reader->setFeature(XMLUni::fgSAX2CoreValidation, false);
    reader->setFeature(XMLUni::fgXercesSchema, false);
    reader->setFeature(XMLUni::fgXercesLoadExternalDTD, false);
    reader->setContentHandler(&handler);
    reader->setErrorHandler(&handler);
    try {
        MemBufInputSource const source(reinterpret_cast<const XMLByte*>(stream.data()),
                                       stream.size(), "stream");
        reader->parse(source);
    } catch (const SAXParseException&) {
        // The handler has noted it.
    } catch (const XMLException& error) {
        handler.builder.reading.error = utf8(error.getMessage());
    }
    return handler.builder.reading;
}

}  // namespace stanzagate::smuggling
