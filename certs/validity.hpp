#pragma once

#include <openssl/asn1.h>

#include <chrono>
#include <string>

// Times as certificates have them.
namespace stanzagate::certs {

using TimePoint = std::chrono::system_clock::time_point;

// How long before its end a certificate wants attention: that of whoever renews it, or, of one that
// was made in memory, ours.
inline constexpr std::chrono::days expiry_warning{14};

// The epoch where it is not a time. Certificates without an end say 9999, which is beyond what a
// TimePoint can hold, and becomes its last second.
TimePoint time_of(const ASN1_TIME* time);

// "2031-02-28", UTC.
std::string date_text(TimePoint time);
// "less than a day", "1 day", "13 days"
std::string days_text(TimePoint::duration time);
// "3 days ago, on 2031-02-28": another text each day, so that it is told again.
std::string past_text(TimePoint time, TimePoint now);

}  // namespace stanzagate::certs
