// Finds an axis' reference (spec 5.4).
//
//   stage:  [on the switch: BackOff] -> Search -> switch met -> Return to where it was met -> position := 0
//   wheel:  [in the gap:    BackOff] -> Search -> gap met    -> Return to where it was met -> position := 0
//
// A wheel has one input, the left one, which is inactive in a gap of its rim.
#pragma once

#include <cstdint>

#include "board.h"

namespace squid {

class Homing {
 public:
  enum class Result : std::uint8_t { Running, Found, Failed };

  // `limit_us`: after that time from now the search has failed.
  void start(Motor& motor, Direction direction, bool is_wheel, double speed, std::uint64_t now_us,
             std::uint64_t limit_us);
  Result tick(Motor& motor, std::uint64_t now_us);

 private:
  enum class Phase : std::uint8_t { BackOff, Search, Return };

  bool at_reference(Motor& motor) const;
  void enter_search(Motor& motor);

  Phase phase_ = Phase::Search;
  Direction direction_ = Direction::Negative;
  bool is_wheel_ = false;
  double speed_ = 0;
  std::int32_t reference_ = 0;
  std::uint64_t deadline_us_ = 0;
  std::uint64_t return_deadline_us_ = 0;
};

}  // namespace squid
