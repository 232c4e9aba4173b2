// The five axes and the commands that move or configure them.
#pragma once

#include <array>
#include <cstdint>

#include "axis.h"
#include "board.h"

namespace squid {

class Motion {
 public:
  explicit Motion(Board& board);

  // Resets X, Y and Z: what INITIALIZE does, and what happens at power-on.
  void initialise_stage();

  // Executes a command of motion; UnknownCommand when it is none.
  Reason execute(const Packet& packet, std::uint64_t now_us);

  void tick(std::uint64_t now_us);
  void stop();

  Axis& axis(AxisId id) { return axes_[static_cast<std::size_t>(id)]; }
  const Axis& axis(AxisId id) const { return axes_[static_cast<std::size_t>(id)]; }

  bool is_commanded() const;
  bool is_moving() const;

  // The first new failure of any axis, once.
  Reason take_failure();

  // Content of the AXES page: a byte each of moving, fault, homed, homing; bit n is axis n in the order X, Y, Z, W, W2.
  std::uint32_t axes_page() const;

 private:
  Reason execute_move(Code code, const Packet& packet, std::uint64_t now_us);
  Reason execute_settings(Code code, const Packet& packet);
  Reason execute_encoder(Code code, const Packet& packet);
  Reason home_or_zero(const args::HomeOrZero& a, std::uint64_t now_us);
  Reason home_one(AxisId id, std::uint8_t kind, std::uint64_t now_us);
  Reason set_limit(const args::SetLim& a);
  Reason guarded(AxisId id, const Packet& packet, std::uint64_t now_us);
  Axis* find(std::uint8_t axis_code);

  std::array<Axis, kAxes> axes_;
};

}  // namespace squid
