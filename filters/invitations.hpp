#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stanzagate::filters {

// A stream's share of an invitation whose token it has shown and the server has accepted. Give it
// back to the Invitations it came from, by give_back().
class Invitation {
public:
    Invitation(Invitation&& other) noexcept = default;
    Invitation& operator=(Invitation&& other) noexcept = default;

    // Where its token was accepted.
    const std::string& domain() const { return domain_; }
    // A registration by it is under way on this stream.
    bool in_use() const { return in_use_; }

private:
    friend class Invitations;
    struct Uses {
        std::uint64_t done = 0;
        bool under_way = false;
        std::size_t shares = 0;
    };
    using All = std::map<std::string, Uses, std::less<>>;

    Invitation(std::string domain, All::iterator uses)
        : domain_(std::move(domain)), uses_(uses), done_before_(uses->second.done) {}

    std::string domain_;
    All::iterator uses_;
    std::uint64_t done_before_;  // when the token was shown
    bool in_use_ = false;
};

// The invitations (XEP-0445) that are shown to servers just now. A server judges a token when it is
// shown, and again nobody before it has let somebody register: however many streams have shown one
// token by then, it makes one account.
//   show() where the server has accepted the token; begin() when a registration by it is forwarded,
//   and end() once that is answered; give_back() at the end of the stream
// It has no lock. Memory: an invitation is known while some stream has a share of it.
class Invitations {
public:
    // A longer token invites nobody.
    static constexpr std::size_t longest_token = 255;

    std::optional<Invitation> show(std::string_view domain, std::string_view token);
    // False where it has been used since it was shown, or is being used.
    bool begin(Invitation& invitation);
    void end(Invitation& invitation, bool used);
    void give_back(Invitation invitation);

    std::size_t known() const { return all_.size(); }

private:
    Invitation::All all_;  // by domain and token
};

}  // namespace stanzagate::filters
