// The light lease: light may stay on only while good packets keep coming (spec 6.3).
//
//   Off ──arm──▶ Fed ──timeout──▶ Expired ──good packet──▶ Fed       (stock goes back to Off: one shot)
#pragma once

#include <algorithm>
#include <cstdint>

#include "protocol.h"

namespace squid {

class Lease {
 public:
  void arm(std::uint32_t timeout_ms, std::uint64_t now_us) {
    const std::uint32_t wanted_ms = timeout_ms == 0 ? kLeaseDefaultMs : timeout_ms;
    timeout_us_ = std::uint64_t{std::min(wanted_ms, kLeaseMaxMs)} * 1000;
    feed(now_us);
  }

  void feed(std::uint64_t now_us) {
    fed_us_ = now_us;
    is_expired_ = false;
  }

  // Whether the lease ran out just now; true once for each time.
  bool check(std::uint64_t now_us) {
    if (!is_armed() || is_expired_ || now_us - fed_us_ < timeout_us_) {
      return false;
    }
    is_expired_ = true;
    return true;
  }

  bool is_armed() const { return timeout_us_ != 0; }
  std::uint64_t expires_us() const { return is_armed() && !is_expired_ ? fed_us_ + timeout_us_ : UINT64_MAX; }

 private:
  std::uint64_t timeout_us_ = 0;
  std::uint64_t fed_us_ = 0;
  bool is_expired_ = false;
};

}  // namespace squid
