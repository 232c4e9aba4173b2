#include "motion.h"

#include <algorithm>

#include "status_frame.h"

namespace squid {

Motion::Motion(Board& board)
    : axes_{Axis{AxisId::X}, Axis{AxisId::Y}, Axis{AxisId::Z}, Axis{AxisId::W}, Axis{AxisId::W2}} {
  for (std::size_t i = 0; i < kAxes; ++i) {
    axes_[i].attach(board.motor(static_cast<AxisId>(i)));
  }
}

void Motion::initialise_stage() {
  axis(AxisId::X).initialise();
  axis(AxisId::Y).initialise();
  axis(AxisId::Z).initialise();
}

Reason Motion::execute(const Packet& packet, std::uint64_t now_us) {
  const Code code = static_cast<Code>(packet.u8(1));
  const Reason moved = execute_move(code, packet, now_us);
  if (moved != Reason::UnknownCommand) {
    return moved;
  }
  const Reason set = execute_settings(code, packet);
  return set != Reason::UnknownCommand ? set : execute_encoder(code, packet);
}

Reason Motion::execute_move(Code code, const Packet& packet, std::uint64_t now_us) {
  const std::int32_t value = packet.i32(2);  // every move has its distance or target there
  switch (code) {
    case Code::MoveX:
      return axis(AxisId::X).move_by(value, now_us);
    case Code::MoveY:
      return axis(AxisId::Y).move_by(value, now_us);
    case Code::MoveZ:
      return axis(AxisId::Z).move_by(value, now_us);
    case Code::MoveW:
      return axis(AxisId::W).move_by(value, now_us);
    case Code::MoveW2:
      return axis(AxisId::W2).move_by(value, now_us);
    case Code::MoveTheta:
      return Reason::BadArgument;  // there is no such motor
    case Code::MovetoX:
      return axis(AxisId::X).move_to(value, now_us);
    case Code::MovetoY:
      return axis(AxisId::Y).move_to(value, now_us);
    case Code::MovetoZ:
      return axis(AxisId::Z).move_to(value, now_us);
    case Code::MovetoW:
      return axis(AxisId::W).move_to(value, now_us);
    case Code::MovetoW2:
      return axis(AxisId::W2).move_to(value, now_us);
    case Code::GuardedMovetoX:
      return guarded(AxisId::X, packet, now_us);
    case Code::GuardedMovetoY:
      return guarded(AxisId::Y, packet, now_us);
    case Code::GuardedMovetoZ:
      return guarded(AxisId::Z, packet, now_us);
    case Code::GuardedMovetoW:
      return guarded(AxisId::W, packet, now_us);
    case Code::GuardedMovetoW2:
      return guarded(AxisId::W2, packet, now_us);
    case Code::HomeOrZero:
      return home_or_zero(args::HomeOrZero::decode(packet), now_us);
    default:
      return Reason::UnknownCommand;
  }
}

Reason Motion::guarded(AxisId id, const Packet& packet, std::uint64_t now_us) {
  const args::GuardedMovetoX a = args::GuardedMovetoX::decode(packet);  // all five have the same layout
  return a.guard == packet_guard(packet) ? axis(id).move_to(a.target_usteps, now_us) : Reason::GuardMismatch;
}

Reason Motion::home_or_zero(const args::HomeOrZero& a, std::uint64_t now_us) {
  if (static_cast<AxisCode>(a.axis) == AxisCode::Xy) {
    const bool is_home = a.kind <= 1 && a.kind_y <= 1;
    if (!is_home) {
      return Reason::BadArgument;
    }
    const Reason x = home_one(AxisId::X, a.kind, now_us);
    return x != Reason::None ? x : home_one(AxisId::Y, a.kind_y, now_us);
  }
  const Axis* const found = find(a.axis);
  return found == nullptr ? Reason::BadArgument
                          : home_one(static_cast<AxisId>(found - axes_.data()), a.kind, now_us);
}

Reason Motion::home_one(AxisId id, std::uint8_t kind, std::uint64_t now_us) {
  switch (static_cast<HomeType>(kind)) {
    case HomeType::Positive:
      return axis(id).home(Direction::Positive, now_us);
    case HomeType::Negative:
      return axis(id).home(Direction::Negative, now_us);
    case HomeType::Zero:
      return axis(id).set_zero();
  }
  return Reason::BadArgument;
}

Reason Motion::set_limit(const args::SetLim& a) {
  if (a.limit > static_cast<std::uint8_t>(LimitCode::ZNegative)) {
    return Reason::BadArgument;
  }
  const Direction side = a.limit % 2 == 0 ? Direction::Positive : Direction::Negative;
  axes_[a.limit / 2].set_limit(side, a.position_usteps);
  return Reason::None;
}

Reason Motion::execute_settings(Code code, const Packet& packet) {
  if (code == Code::SetLim) {
    return set_limit(args::SetLim::decode(packet));
  }
  Axis* const found = find(packet.u8(2));  // every command below has its axis there
  switch (code) {
    case Code::Initialize:
      initialise_stage();
      return Reason::None;
    case Code::Initfilterwheel:
      axis(AxisId::W).initialise();
      return Reason::None;
    case Code::InitfilterwheelW2:
      axis(AxisId::W2).initialise();
      return Reason::None;
    case Code::ConfigureStepperDriver: {
      const auto a = args::ConfigureStepperDriver::decode(packet);
      const int microsteps = a.microsteps == 0 ? 1 : (a.microsteps > 128 ? 256 : a.microsteps);
      return found == nullptr ? Reason::BadArgument
                              : found->configure_drive(static_cast<std::uint16_t>(microsteps), a.current_ma,
                                                       a.hold_255 / 255.0);
    }
    case Code::SetMaxVelocityAcceleration: {
      const auto a = args::SetMaxVelocityAcceleration::decode(packet);
      return found == nullptr ? Reason::BadArgument
                              : found->set_ramp(a.velocity_centi_mm_s / 100.0, a.acceleration_deci_mm_s2 / 10.0);
    }
    case Code::SetLeadScrewPitch:
      return found == nullptr ? Reason::BadArgument
                              : found->set_pitch(args::SetLeadScrewPitch::decode(packet).pitch_um / 1000.0);
    case Code::SetHomeSafetyMargin:
      return found == nullptr ? Reason::BadArgument
                              : found->set_home_margin(args::SetHomeSafetyMargin::decode(packet).margin_um);
    case Code::SetAxisDisableEnable:
      return found == nullptr ? Reason::BadArgument : found->enable(packet.u8(3) != 0);
    case Code::SetLimSwitchPolarity:
    case Code::SetOffsetVelocity:
      return found == nullptr ? Reason::BadArgument : Reason::None;  // no effect, see protocol.toml
    default:
      return Reason::UnknownCommand;
  }
}

Reason Motion::execute_encoder(Code code, const Packet& packet) {
  Axis* const found = find(packet.u8(2));
  EncoderSettings settings = found == nullptr ? EncoderSettings{} : found->encoder();
  switch (code) {
    case Code::ConfigureStagePid: {
      const auto a = args::ConfigureStagePid::decode(packet);
      settings.inverted = a.invert != 0;
      settings.transitions_per_turn = a.transitions;
      return found == nullptr ? Reason::BadArgument : found->set_encoder(settings);
    }
    case Code::SetPidArguments: {
      const auto a = args::SetPidArguments::decode(packet);
      settings.p = a.p;
      settings.i = a.i;
      settings.d = a.d;
      return found == nullptr ? Reason::BadArgument : found->set_encoder(settings);
    }
    case Code::EnableStagePid:
      return found == nullptr ? Reason::BadArgument : found->close_loop(true);
    case Code::DisableStagePid:
      return found == nullptr ? Reason::BadArgument : found->close_loop(false);
    default:
      return Reason::UnknownCommand;
  }
}

Axis* Motion::find(std::uint8_t axis_code) {
  switch (static_cast<AxisCode>(axis_code)) {
    case AxisCode::X:
      return &axis(AxisId::X);
    case AxisCode::Y:
      return &axis(AxisId::Y);
    case AxisCode::Z:
      return &axis(AxisId::Z);
    case AxisCode::W:
      return &axis(AxisId::W);
    case AxisCode::W2:
      return &axis(AxisId::W2);
    case AxisCode::Theta:
    case AxisCode::Xy:
      return nullptr;
  }
  return nullptr;
}

void Motion::tick(std::uint64_t now_us) {
  for (Axis& each : axes_) {
    each.tick(now_us);
  }
}

void Motion::stop() {
  for (Axis& each : axes_) {
    each.stop();
  }
}

bool Motion::is_commanded() const {
  return std::any_of(axes_.begin(), axes_.end(), [](const Axis& each) { return each.is_commanded(); });
}

bool Motion::is_moving() const {
  return std::any_of(axes_.begin(), axes_.end(), [](const Axis& each) { return each.is_moving(); });
}

Reason Motion::take_failure() {
  for (Axis& each : axes_) {
    const Reason failure = each.take_failure();
    if (failure != Reason::None) {
      return failure;
    }
  }
  return Reason::None;
}

std::uint32_t Motion::axes_page() const {
  std::uint32_t page = 0;
  for (std::size_t i = 0; i < kAxes; ++i) {
    const Axis& each = axes_[i];
    page |= (each.is_moving() ? 1U : 0U) << (24 + i);
    page |= (each.fault() != Reason::None ? 1U : 0U) << (16 + i);
    page |= (each.is_homed() ? 1U : 0U) << (8 + i);
    page |= (each.is_homing() ? 1U : 0U) << i;
  }
  return page;
}

}  // namespace squid
