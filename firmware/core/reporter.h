// When a status frame is due, and which page it shows.
//
// A host that never asked for pages gets zeros in bytes 14..17, as from stock firmware.
#pragma once

#include <cstdint>

#include "protocol.h"

namespace squid {

class Reporter {
 public:
  // Bit n allows Page n; unknown bits are refused.
  Reason choose(std::uint16_t pages) {
    if ((pages >> (static_cast<unsigned>(Page::Fault) + 1)) != 0) {
      return Reason::BadArgument;
    }
    chosen_ = static_cast<std::uint16_t>(pages & ~1U);
    urgent_ = chosen_;
    return Reason::None;
  }

  bool has_pages() const { return chosen_ != 0; }

  // Sends the next frame at once.
  void hurry() { is_hurried_ = true; }

  // Sends a page at once.
  void hurry(Page page) {
    urgent_ = static_cast<std::uint16_t>(urgent_ | (chosen_ & (1U << static_cast<unsigned>(page))));
    is_hurried_ = true;
  }

  bool is_due(std::uint64_t now_us) const { return is_hurried_ || now_us >= due_us(); }
  std::uint64_t due_us() const { return is_hurried_ ? 0 : last_us_ + kFramePeriodUs; }

  // The page of the next frame: urgent ones first, then in turn.
  Page page() const {
    const unsigned candidates = urgent_ != 0 ? urgent_ : chosen_;
    if (candidates == 0) {
      return Page::None;
    }
    unsigned page = current_;
    do {
      page = (page + 1) % 16;
    } while ((candidates & (1U << page)) == 0);
    return static_cast<Page>(page);
  }

  void sent(Page page, std::uint64_t now_us) {
    last_us_ = now_us;
    current_ = static_cast<std::uint8_t>(page);
    urgent_ = static_cast<std::uint16_t>(urgent_ & ~(1U << current_));
    is_hurried_ = urgent_ != 0;
  }

  // A frame that could not be sent is tried again after a period.
  void postpone(std::uint64_t now_us) {
    last_us_ = now_us;
    is_hurried_ = false;
  }

 private:
  std::uint16_t chosen_ = 0;
  std::uint16_t urgent_ = 0;
  std::uint8_t current_ = 0;
  bool is_hurried_ = false;
  std::uint64_t last_us_ = 0;
};

}  // namespace squid
