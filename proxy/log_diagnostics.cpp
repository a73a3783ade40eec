#include "proxy/log_diagnostics.hpp"

namespace stanzagate::proxy {

void log_diagnostics(const Log& log, std::string_view event, const config::Diagnostics& diagnostics,
                     std::string_view consequence) {
    for (auto const& diagnostic : diagnostics.sorted()) {
        bool const is_error = diagnostic.severity == config::Severity::error;
        log.write(is_error ? config::LogLevel::error : config::LogLevel::warning, event,
                  {Field::in_full("file", diagnostic.where.file),
                   {"line", diagnostic.where.line},
                   {"column", diagnostic.where.column},
                   Field::in_full("message", diagnostic.message),
                   {"consequence", is_error ? consequence : std::string_view()}});
    }
}

}  // namespace stanzagate::proxy
