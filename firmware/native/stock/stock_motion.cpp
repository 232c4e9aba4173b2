// Commands of motion as stock firmware executes them.
#include "stock_firmware.h"

namespace squid::native {

void StockFirmware::execute_motion(Code code, const Packet& packet, std::uint64_t now_us) {
  const std::int32_t value = packet.i32(2);
  switch (code) {
    case Code::MoveX:
      return move_by(axes_[0], value);
    case Code::MoveY:
      return move_by(axes_[1], value);
    case Code::MoveZ:
      return move_by(axes_[kStockZ], value);
    case Code::MoveW:
      return move_by(axes_[3], value);
    case Code::MoveW2:
      return move_by(axes_[4], value);
    case Code::MovetoX:
      return move_to(axes_[0], value);
    case Code::MovetoY:
      return move_to(axes_[1], value);
    case Code::MovetoZ:
      return move_to(axes_[kStockZ], value);
    case Code::MovetoW:
      return move_to(axes_[3], value);
    case Code::MovetoW2:
      return move_to(axes_[4], value);
    case Code::HomeOrZero:
      return home_or_zero(args::HomeOrZero::decode(packet), now_us);
    case Code::SetLim:
      return set_limit(args::SetLim::decode(packet));
    default:
      return;
  }
}

void StockFirmware::execute_settings(Code code, const Packet& packet) {
  StockAxis* const axis = find(packet.u8(2));
  if (axis == nullptr) {
    return;
  }
  switch (code) {
    case Code::ConfigureStepperDriver: {
      if (!axis->is_initialised) {
        return;
      }
      const auto a = args::ConfigureStepperDriver::decode(packet);
      const int microsteps = a.microsteps == 0 ? 1 : (a.microsteps > 128 ? 256 : a.microsteps);
      axis->drive.pitch_mm = axis->pitch_mm;
      axis->drive.microsteps = static_cast<std::uint16_t>(microsteps);
      axis->motor->configure(axis->drive);
      axis->apply_ramp();
      return;
    }
    case Code::SetMaxVelocityAcceleration: {
      const auto a = args::SetMaxVelocityAcceleration::decode(packet);
      axis->velocity_mm_s = a.velocity_centi_mm_s / 100.0;
      axis->acceleration_mm_s2 = a.acceleration_deci_mm_s2 / 10.0;
      axis->apply_ramp();
      return;
    }
    case Code::SetLeadScrewPitch:
      axis->pitch_mm = packet.u16(3) / 1000.0;
      return;
    case Code::SetAxisDisableEnable:
      axis->motor->enable(packet.u8(3) != 0);
      return;
    default:
      return;
  }
}

// Before 1.2 a rejected move completes (spec 11); since then it loses what another axis has in progress (spec 3.1).
void StockFirmware::reject() {
  is_in_progress_ = false;
  result_ = generation_.version < 0x12 ? ExecutionStatus::Completed : ExecutionStatus::ExecutionError;
}

void StockFirmware::move_by(StockAxis& axis, std::int32_t delta) {
  if (!axis.is_initialised) {
    return reject();
  }
  is_in_progress_ = true;
  axis.is_homing = false;
  axis.start_move(axis.is_wheel() ? axis.motor->position() + delta : axis.clamp_relative(delta));
  if (&axis == &axes_[kStockZ]) {
    focus_ = focus_sent_ = axis.target;
  }
}

void StockFirmware::move_to(StockAxis& axis, std::int32_t target) {
  if (!axis.is_initialised || target < axis.range_low || target > axis.range_high) {
    return reject();
  }
  is_in_progress_ = true;
  axis.is_homing = false;
  axis.start_move(target);
  if (&axis == &axes_[kStockZ]) {
    focus_ = focus_sent_ = target;
  }
}

void StockFirmware::home_or_zero(const args::HomeOrZero& a, std::uint64_t now_us) {
  switch (static_cast<AxisCode>(a.axis)) {
    case AxisCode::Xy:
      if (a.kind <= 1) {
        home_or_zero_one(0, a.kind, now_us);
        home_or_zero_one(1, a.kind_y, now_us);
      }
      return;
    case AxisCode::Theta:  // hangs the status for ever (spec 3.1)
      is_in_progress_ = is_in_progress_ || a.kind <= 1;
      return;
    default:
      break;
  }
  const StockAxis* const axis = find(a.axis);
  if (axis != nullptr) {
    home_or_zero_one(static_cast<std::size_t>(axis - axes_.data()), a.kind, now_us);
  }
}

void StockFirmware::home_or_zero_one(std::size_t index, std::uint8_t kind, std::uint64_t now_us) {
  StockAxis& axis = axes_[index];
  if (static_cast<HomeType>(kind) == HomeType::Zero) {
    axis.motor->set_position(0);
    focus_ = index == kStockZ ? 0 : focus_;
    focus_sent_ = focus_;
  } else if (kind <= 1) {
    is_in_progress_ = true;
    if (axis.is_initialised) {
      axis.start_homing(kind == 1 ? Direction::Negative : Direction::Positive, now_us);
    }
  }
}

void StockFirmware::set_limit(const args::SetLim& a) {
  if (a.limit <= static_cast<std::uint8_t>(LimitCode::ZNegative)) {
    axes_[a.limit / 2].set_limit(a.limit % 2 == 0 ? Direction::Positive : Direction::Negative, a.position_usteps);
  }
}

StockAxis* StockFirmware::find(std::uint8_t code) {
  switch (static_cast<AxisCode>(code)) {
    case AxisCode::X:
      return axes_.data();
    case AxisCode::Y:
      return &axes_[1];
    case AxisCode::Z:
      return &axes_[kStockZ];
    case AxisCode::W:
      return &axes_[3];
    case AxisCode::W2:
      return &axes_[4];
    default:
      return nullptr;
  }
}

}  // namespace squid::native
