#include "controller.h"

#include <algorithm>

namespace squid {
namespace {

constexpr std::uint64_t kMotionPollUs = 500;  // how late an arrival may be noticed by a board that sleeps
constexpr std::uint8_t kVersion = static_cast<std::uint8_t>((kVersionMajor << 4) | kVersionMinor);

constexpr unsigned bit(Flag flag) { return static_cast<unsigned>(flag); }

}  // namespace

Controller::Controller(Board& board)
    : board_(board),
      motion_(board),
      lights_(board),
      trigger_(board, lights_),
      sequencer_(board, motion_, lights_, trigger_),
      joystick_(motion_) {}

void Controller::begin() {
  reset_count_ = board_.reset_count();
  trigger_.power_on();
  lights_.power_on();
  motion_.initialise_stage();
}

void Controller::receive(const std::uint8_t* bytes, std::size_t count) {
  const std::uint64_t now_us = board_.now_us();
  for (std::size_t i = 0; i < count; ++i) {
    const PacketReader::Result result = reader_.push(bytes[i], now_us);
    if (result == PacketReader::Result::Good) {
      take_packet(reader_.packet(), now_us);
    } else if (result == PacketReader::Result::Corrupt) {
      take_corrupt(reader_.packet().id());
      return;
    }
  }
}

void Controller::take_corrupt(std::uint8_t id) {
  last_id_ = id;
  is_checksum_error_ = true;
  reporter_.hurry();
}

void Controller::take_packet(const Packet& packet, std::uint64_t now_us) {
  const Code code = static_cast<Code>(packet.u8(1));
  lease_.feed(now_us);
  last_id_ = packet.id();
  is_checksum_error_ = false;
  reporter_.hurry();
  if (duplicates_.is_repeat(packet, now_us)) {
    return;  // its result stands
  }
  if (code == Code::Heartbeat) {
    return;  // does not clear an error (spec 13.1)
  }
  result_ = Reason::None;
  const Reason refusal = dispatch(packet, now_us);
  last_code_ = code;
  if (refusal != Reason::None) {
    fail(refusal);
  }
}

void Controller::fail(Reason reason) {
  result_ = reason;
  reporter_.hurry(Page::Fault);
}

Reason Controller::dispatch(const Packet& packet, std::uint64_t now_us) {
  const Code code = static_cast<Code>(packet.u8(1));
  if (sequencer_.is_running() && waits_for_sequence(code)) {
    return Reason::SequenceRunning;
  }
  darken_first(code);
  Reason result = execute_system(packet, now_us);
  if (result == Reason::UnknownCommand) {
    result = motion_.execute(packet, now_us);
  }
  if (result == Reason::UnknownCommand) {
    result = lights_.execute(packet);
    reporter_.hurry(Page::Lights);
  }
  if (result == Reason::UnknownCommand) {
    result = trigger_.execute(packet, now_us);
  }
  if (result == Reason::UnknownCommand) {
    result = sequencer_.execute(packet, now_us);
  }
  return result;
}

// A running sequence owns axes, light and triggers; only what asks, stops or darkens gets through.
bool Controller::waits_for_sequence(Code code) {
  switch (code) {
    case Code::Reset:
    case Code::Initialize:
    case Code::SetReport:
    case Code::ClearEvents:
    case Code::SetWatchdogTimeout:
    case Code::AckJoystickButtonPressed:
    case Code::SequenceRead:
    case Code::SequenceAbort:
    case Code::SequenceFinish:
    case Code::StopMotion:
    case Code::LightsOut:
    case Code::TurnOffAllPorts:
    case Code::TurnOffIllumination:
    case Code::TurnOffPort:
      return false;
    default:
      return true;
  }
}

// What darkens or stops ends a sequence and pending strobes, too.
void Controller::darken_first(Code code) {
  switch (code) {
    case Code::TurnOffAllPorts:
    case Code::TurnOffIllumination:
    case Code::TurnOffPort:
    case Code::LightsOut:
      sequencer_.abort(Reason::Stopped);
      trigger_.cancel_light();
      break;
    case Code::StopMotion:
    case Code::Initialize:
      sequencer_.abort(Reason::Stopped);
      break;
    default:
      break;
  }
}

Reason Controller::execute_system(const Packet& packet, std::uint64_t now_us) {
  switch (static_cast<Code>(packet.u8(1))) {
    case Code::Reset:
      reset();
      return Reason::None;
    case Code::Initialize:
      motion_.initialise_stage();
      lights_.power_on();
      trigger_.reset_mode();
      joystick_.restart();
      return Reason::None;
    case Code::SetWatchdogTimeout:
      lease_.arm(args::SetWatchdogTimeout::decode(packet).timeout_ms, now_us);
      return Reason::None;
    case Code::AckJoystickButtonPressed:
      joystick_.acknowledge_button();
      return Reason::None;
    case Code::SetReport:
      return reporter_.choose(args::SetReport::decode(packet).pages);
    case Code::ClearEvents:
      events_ = static_cast<std::uint8_t>(events_ & ~args::ClearEvents::decode(packet).flags);
      return Reason::None;
    case Code::StopMotion:
      motion_.stop();
      return Reason::None;
    default:
      return Reason::UnknownCommand;
  }
}

// Stock forgets what is under way and lets it go on (spec 13, surprise 8); here nothing moves and nothing is lit after it.
void Controller::reset() {
  sequencer_.abort(Reason::Stopped);
  trigger_.cancel();
  trigger_.reset_mode();
  lights_.all_off();
  motion_.stop();
  last_id_ = 0;
}

void Controller::tick() {
  const std::uint64_t now_us = board_.now_us();
  if (reader_.expire(now_us)) {
    take_corrupt(reader_.packet().id());
  }
  trigger_.service(now_us);
  motion_.tick(now_us);
  sequencer_.tick(now_us);
  joystick_.tick(now_us, !sequencer_.is_running());
  watch(now_us);
  lights_.tick();
  report(now_us);
}

void Controller::watch(std::uint64_t now_us) {
  if (lease_.check(now_us)) {
    const bool cut = lights_.is_any_on() || sequencer_.is_running() || trigger_.has_any_light();
    sequencer_.abort(Reason::LeaseExpired);
    trigger_.cancel_light();
    lights_.all_off();
    if (cut) {
      events_ = static_cast<std::uint8_t>(events_ | bit(Flag::LeaseExpired));
      reporter_.hurry(Page::Lights);
    }
  }
  if (lights_.take_interlock_event()) {
    events_ = static_cast<std::uint8_t>(events_ | bit(Flag::InterlockOpened));
    reporter_.hurry(Page::Lights);
    if (sequencer_.needs_interlock()) {
      sequencer_.abort(Reason::InterlockOpen);
    }
  }
  const Reason moved = motion_.take_failure();
  const Reason sequenced = sequencer_.take_failure();
  if (moved != Reason::None || sequenced != Reason::None) {
    fail(sequenced != Reason::None ? sequenced : moved);
  }
  if (sequencer_.take_progress()) {
    reporter_.hurry(Page::Sequence);
  }
  const bool commanded = motion_.is_commanded();
  if (was_commanded_ != commanded) {
    reporter_.hurry(Page::Axes);
  }
  was_commanded_ = commanded;
}

void Controller::report(std::uint64_t now_us) {
  if (!reporter_.is_due(now_us)) {
    return;
  }
  do {
    const Page page = reporter_.page();
    if (!board_.send(frame().encode(true))) {
      reporter_.postpone(now_us);
      return;
    }
    reporter_.sent(page, now_us);
  } while (reporter_.is_due(now_us));
}

ExecutionStatus Controller::status() const {
  if (is_checksum_error_) {
    return ExecutionStatus::ChecksumError;
  }
  if (result_ != Reason::None) {
    return ExecutionStatus::ExecutionError;  // even while another axis moves: that one's own state is on the AXES page
  }
  const bool busy = motion_.is_commanded() || sequencer_.is_running();
  return busy ? ExecutionStatus::InProgress : ExecutionStatus::Completed;
}

std::uint8_t Controller::flags() const {
  unsigned flags = events_;
  flags |= lights_.interlock_is_safe() ? 0 : bit(Flag::InterlockOpen);
  flags |= lease_.is_armed() ? bit(Flag::LeaseArmed) : 0;
  flags |= lights_.is_any_on() ? bit(Flag::LightOn) : 0;
  flags |= motion_.is_moving() ? bit(Flag::Moving) : 0;
  flags |= sequencer_.is_running() ? bit(Flag::SequenceRunning) : 0;
  return static_cast<std::uint8_t>(flags);
}

std::uint32_t Controller::page_data(Page page) const {
  switch (page) {
    case Page::None:
      return 0;
    case Page::Axes:
      return motion_.axes_page();
    case Page::WPosition:
      return static_cast<std::uint32_t>(motion_.axis(AxisId::W).position());
    case Page::W2Position:
      return static_cast<std::uint32_t>(motion_.axis(AxisId::W2).position());
    case Page::Sequence:
      return sequencer_.progress_page();
    case Page::StepTime:
      return sequencer_.step_time_page();
    case Page::Lights:
      return lights_.page();
    case Page::Fault:
      return (static_cast<std::uint32_t>(result_) << 24) | (static_cast<std::uint32_t>(last_code_) << 16);
  }
  return 0;
}

StatusFrame Controller::frame() const {
  const Page page = reporter_.page();
  // An old host answers the button with a command of its own that hides the one it waits for (spec 3.4).
  const bool button = reporter_.has_pages() && joystick_.is_button_pressed();
  StatusFrame frame;
  frame.command_id = last_id_;
  frame.status = status();
  frame.x_usteps = motion_.axis(AxisId::X).position();
  frame.y_usteps = motion_.axis(AxisId::Y).position();
  frame.z_usteps = motion_.axis(AxisId::Z).position();
  frame.page_data = page_data(page);
  frame.inputs = static_cast<std::uint8_t>((static_cast<unsigned>(page) << 4) | (button ? 1U : 0U));
  frame.reset_count = reset_count_;
  frame.flags = flags();
  frame.version = kVersion;
  return frame;
}

std::uint64_t Controller::next_due_us() const {
  std::uint64_t due = std::min({reporter_.due_us(), trigger_.next_edge_us(), sequencer_.next_due_us(), lease_.expires_us()});
  if (motion_.is_moving() || sequencer_.is_running()) {
    due = std::min(due, board_.now_us() + kMotionPollUs);
  }
  if (reader_.is_partial()) {
    due = std::min(due, reader_.last_byte_us() + kPartialPacketTimeoutUs);
  }
  return due;
}

}  // namespace squid
