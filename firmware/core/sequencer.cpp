#include "sequencer.h"

#include <algorithm>

namespace squid {
namespace {

constexpr std::size_t kZ = static_cast<std::size_t>(AxisId::Z);
constexpr std::uint8_t kPiezoBit = static_cast<std::uint8_t>(StepTarget::Piezo);
constexpr std::uint8_t kAllTargets = 2 * kPiezoBit - 1;

}  // namespace

Reason Sequencer::execute(const Packet& packet, std::uint64_t now_us) {
  switch (static_cast<Code>(packet.u8(1))) {
    case Code::SequenceClear:
      size_ = 0;
      registers_ = {};
      z_origin_ = 0;
      piezo_origin_ = 0;
      return Reason::None;
    case Code::SequenceSet:
      return set_field(args::SequenceSet::decode(packet));
    case Code::SequenceAdd:
      return add(args::SequenceAdd::decode(packet).index);
    case Code::SequenceRun:
      return run(args::SequenceRun::decode(packet), now_us);
    case Code::SequenceAbort:
      abort(Reason::Stopped);
      return Reason::None;
    case Code::SequenceFinish:
      finish();
      return Reason::None;
    case Code::SequenceRead: {
      const std::uint16_t index = args::SequenceRead::decode(packet).index;
      if (index >= size_) {
        return Reason::BadArgument;
      }
      chosen_ = index;
      return Reason::None;
    }
    default:
      return Reason::UnknownCommand;
  }
}

Reason Sequencer::set_field(const args::SequenceSet& a) {
  const auto field = static_cast<StepField>(a.field);
  switch (field) {
    case StepField::Targets:
      if (a.value < 0 || a.value > kAllTargets) {
        return Reason::BadArgument;
      }
      registers_.targets = static_cast<std::uint8_t>(a.value);
      return Reason::None;
    case StepField::X:
    case StepField::Y:
    case StepField::Z:
    case StepField::W:
    case StepField::W2:
      registers_.position[a.field - static_cast<std::size_t>(StepField::X)] = a.value;
      return Reason::None;
    case StepField::Piezo:
      registers_.piezo = a.value;
      return Reason::None;
    case StepField::ZOrigin:
      z_origin_ = a.value;
      return Reason::None;
    case StepField::PiezoOrigin:
      piezo_origin_ = a.value;
      return Reason::None;
    default:
      break;
  }
  const Reason light = set_light_field(field, a.value);
  return light != Reason::UnknownCommand ? light : set_time_field(field, a.value);
}

Reason Sequencer::set_light_field(StepField field, std::int32_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  switch (field) {
    case StepField::Source: {
      const bool known = bits <= UINT8_MAX && (Lights::is_source(static_cast<std::uint8_t>(bits)) ||
                                               static_cast<LightSource>(bits) == LightSource::None);
      if (!known) {
        return Reason::BadArgument;
      }
      registers_.light.source = static_cast<LightSource>(bits);
      return Reason::None;
    }
    case StepField::Intensity:
      if (bits > UINT16_MAX) {
        return Reason::BadArgument;
      }
      registers_.light.intensity = static_cast<std::uint16_t>(bits);
      return Reason::None;
    case StepField::Colour:  // green, red, blue: the order of SET_ILLUMINATION_LED_MATRIX
      registers_.light.colour = {static_cast<std::uint8_t>(bits >> 8), static_cast<std::uint8_t>(bits >> 16),
                                 static_cast<std::uint8_t>(bits)};
      return Reason::None;
    default:
      return Reason::UnknownCommand;
  }
}

Reason Sequencer::set_time_field(StepField field, std::int32_t value) {
  if (value < 0) {
    return Reason::BadArgument;
  }
  const auto time_us = static_cast<std::uint32_t>(value);
  switch (field) {
    case StepField::ExposureUs:
      registers_.exposure_us = time_us;
      return Reason::None;
    case StepField::SettleUs:
      registers_.settle_us = time_us;
      return Reason::None;
    case StepField::ReadoutUs:
      registers_.readout_us = time_us;
      return Reason::None;
    default:
      return Reason::BadArgument;
  }
}

Reason Sequencer::add(std::uint16_t index) {
  if (index > size_ || index >= kSequenceSteps) {
    return Reason::BadArgument;
  }
  steps_[index] = registers_;
  size_ = std::max<std::uint16_t>(size_, static_cast<std::uint16_t>(index + 1));
  return Reason::None;
}

std::int64_t Sequencer::target(const Step& step, std::size_t axis) const {
  return std::int64_t{step.position[axis]} + (axis == kZ ? z_origin_ : 0);
}

Reason Sequencer::check_step(const Step& step) const {
  for (std::size_t axis = 0; axis < kAxes; ++axis) {
    const Reason refusal = moves(step, axis) ? motion_.axis(static_cast<AxisId>(axis)).check_target(target(step, axis))
                                             : Reason::None;
    if (refusal != Reason::None) {
      return refusal;
    }
  }
  const std::int64_t piezo = std::int64_t{step.piezo} + piezo_origin_;
  if ((step.targets & kPiezoBit) != 0 && (piezo < 0 || piezo > UINT16_MAX)) {
    return Reason::OutsideLimits;
  }
  return Lights::is_port(step.light.source) && !board_.interlock_is_safe() ? Reason::InterlockOpen : Reason::None;
}

Reason Sequencer::run(const args::SequenceRun& a, std::uint64_t now_us) {
  if (a.count == 0 || a.channel >= kTriggerChannels || std::uint32_t{a.first} + a.count > size_) {
    return Reason::BadArgument;
  }
  if (motion_.is_commanded() || trigger_.is_active(a.channel)) {
    return Reason::Busy;
  }
  const auto end = static_cast<std::uint16_t>(a.first + a.count);
  for (std::uint16_t i = a.first; i < end; ++i) {
    const Reason refusal = check_step(steps_[i]);
    if (refusal != Reason::None) {
      return refusal;
    }
  }
  state_ = SequenceState::Running;
  reason_ = Reason::None;
  current_ = a.first;
  end_ = end;
  done_ = 0;
  channel_ = a.channel;
  started_us_ = now_us;
  progressed_ = true;
  piezo_value_ = -1;  // the host may have written that DAC channel since the last run
  lights_.ports_off();
  begin_step(now_us);
  return Reason::None;
}

void Sequencer::begin_step(std::uint64_t now_us) {
  phase_ = Phase::Move;
  has_moved_ = false;
  moving_ = 0;
  for (std::size_t i = 0; i < kAxes; ++i) {
    Axis& axis = motion_.axis(static_cast<AxisId>(i));
    const auto wanted = static_cast<std::int32_t>(target(step(), i));
    if (moves(step(), i) && axis.position() != wanted) {
      has_moved_ = true;
      moving_ = static_cast<std::uint8_t>(moving_ | (1U << i));
      const Reason refusal = axis.move_to(wanted, now_us);
      if (refusal != Reason::None) {
        abort(refusal);
        return;
      }
    }
  }
  const std::int32_t piezo = step().piezo + piezo_origin_;
  if ((step().targets & kPiezoBit) != 0 && piezo != piezo_value_) {
    has_moved_ = true;
    piezo_value_ = piezo;
    board_.write_dac(kPiezoDacChannel, static_cast<std::uint16_t>(piezo));
  }
  lights_.prepare(step().light);
}

void Sequencer::tick(std::uint64_t now_us) {
  while (is_running() && advance(now_us)) {
  }
}

bool Sequencer::advance(std::uint64_t now_us) {
  switch (phase_) {
    case Phase::Move:
      return finish_move(now_us);
    case Phase::Settle:
    case Phase::Ready:
      return now_us >= due_us_ && fire(now_us);
    case Phase::Expose:
      if (now_us < due_us_ || trigger_.has_light(channel_)) {
        return false;
      }
      finish_step(now_us);
      return true;
  }
  return false;
}

bool Sequencer::finish_move(std::uint64_t now_us) {
  for (std::size_t i = 0; i < kAxes; ++i) {
    const Axis& axis = motion_.axis(static_cast<AxisId>(i));
    const bool was_moved = ((moving_ >> i) & 1) != 0;
    if (was_moved && axis.is_commanded()) {
      return false;
    }
    if (was_moved && axis.fault() != Reason::None) {
      abort(axis.fault());
      return false;
    }
  }
  phase_ = Phase::Settle;
  due_us_ = std::max(readout_done_us_, has_moved_ ? now_us + step().settle_us : now_us);
  return true;
}

bool Sequencer::fire(std::uint64_t now_us) {
  if (trigger_.is_active(channel_)) {  // the pulse before may outlast a short exposure
    phase_ = Phase::Ready;
    due_us_ = std::min(now_us + 100, trigger_.next_edge_us());
    return false;
  }
  const Reason refusal = trigger_.fire(channel_, step().light.source, step().exposure_us, now_us);
  if (refusal != Reason::None) {
    abort(refusal);
    return false;
  }
  trigger_.service(now_us);  // a light without delay goes on now, not a turn of the loop later
  trigger_times_us_[current_] = static_cast<std::uint32_t>(now_us - started_us_);
  phase_ = Phase::Expose;
  progressed_ = true;
  due_us_ = now_us + trigger_.delay_us(channel_) + step().exposure_us;
  return true;
}

void Sequencer::finish_step(std::uint64_t now_us) {
  readout_done_us_ = due_us_ + step().readout_us;
  ++done_;
  ++current_;
  progressed_ = true;
  if (current_ == end_) {
    state_ = SequenceState::Done;
  } else {
    begin_step(now_us);
  }
}

void Sequencer::abort(Reason reason) {
  if (!is_running()) {
    return;
  }
  state_ = SequenceState::Aborted;
  reason_ = reason;
  is_failure_new_ = reason != Reason::Stopped;
  progressed_ = true;
  trigger_.cancel();
  lights_.ports_off();
  motion_.stop();
}

void Sequencer::finish() {
  if (!is_running()) {
    return;
  }
  if (phase_ == Phase::Expose) {
    end_ = static_cast<std::uint16_t>(current_ + 1);
    return;
  }
  state_ = SequenceState::Done;
  progressed_ = true;
  lights_.ports_off();
  motion_.stop();
}

bool Sequencer::needs_interlock() const { return is_running() && Lights::is_port(step().light.source); }

Reason Sequencer::take_failure() {
  const bool is_new = is_failure_new_;
  is_failure_new_ = false;
  return is_new ? reason_ : Reason::None;
}

bool Sequencer::take_progress() {
  const bool progressed = progressed_;
  progressed_ = false;
  return progressed;
}

std::uint32_t Sequencer::progress_page() const {
  const SequenceState shown = is_running() && phase_ == Phase::Expose ? SequenceState::Exposing : state_;
  return (std::uint32_t{done_} << 16) | (std::uint32_t{static_cast<std::uint8_t>(shown)} << 8) |
         static_cast<std::uint8_t>(reason_);
}

std::uint32_t Sequencer::step_time_page() const { return trigger_times_us_[chosen_]; }

}  // namespace squid
