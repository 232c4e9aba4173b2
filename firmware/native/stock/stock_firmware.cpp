#include "stock_firmware.h"

#include <algorithm>
#include <optional>
#include <set>

namespace squid::native {
namespace {

constexpr std::uint64_t kFramePeriod = 11'200;     // spec 2.5
constexpr std::uint64_t kArrivalPollUs = 10'000;   // spec 3.1
constexpr std::uint64_t kSwitchPollUs = 20'000;
constexpr std::uint64_t kInitialiseUs = 58'000;
constexpr std::uint64_t kLoopUs = 1'400;

std::optional<Generation> find_generation(const std::string& version) {
  if (version == "1.1-early") {
    return Generation{0x11, true};
  }
  const std::set<std::string> known{"0.0", "1.0", "1.1", "1.2", "1.3", "1.4"};
  if (known.count(version) == 0) {
    return std::nullopt;
  }
  return Generation{static_cast<std::uint8_t>((version[0] - '0') * 16 + (version[2] - '0')), false};
}

// First version that knows a command, as byte 22 (spec 11).
std::uint8_t first_version(Code code) {
  const auto value = static_cast<std::uint8_t>(code);
  if (code == Code::MovetoW2) {
    return 0x12;
  }
  if (code == Code::SetWatchdogTimeout || code == Code::Heartbeat) {
    return 0x11;
  }
  return value >= 34 && value <= 39 ? 0x10 : 0x00;
}

}  // namespace

void StockFirmware::receive(const std::uint8_t* bytes, std::size_t count) {
  const std::uint64_t now_us = board_.now_us();
  for (std::size_t i = 0; i < count; ++i) {
    const PacketReader::Result result = reader_.push(bytes[i], now_us);
    if (result == PacketReader::Result::Incomplete) {
      continue;
    }
    last_id_ = reader_.packet().id();
    is_checksum_error_ = result == PacketReader::Result::Corrupt;
    if (is_checksum_error_) {
      return;  // with all that waits behind it
    }
    light_.feed(now_us);
    execute(reader_.packet(), now_us);
  }
}

void StockFirmware::execute(const Packet& packet, std::uint64_t now_us) {
  const Code code = static_cast<Code>(packet.u8(1));
  if (code != Code::Heartbeat) {
    result_ = ExecutionStatus::Completed;
  }
  const bool is_early_40 = generation_.is_early_1_1 && code == Code::SetWatchdogTimeout;
  if (generation_.version < first_version(code) && !is_early_40) {
    return;
  }
  switch (code) {
    case Code::Reset:
      reset();
      break;
    case Code::Initialize:
      initialise();
      light_.initialise_dac();
      light_.reset_trigger_mode();
      blocked_until_us_ = now_us + kInitialiseUs;
      break;
    case Code::Initfilterwheel:
      axes_[3].initialise();
      break;
    case Code::InitfilterwheelW2:
      axes_[4].initialise();
      break;
    default:
      execute_motion(code, packet, now_us);
      execute_settings(code, packet);
      light_.execute(packet, now_us);
      break;
  }
}

void StockFirmware::initialise() {
  for (std::size_t i = 0; i <= kStockZ; ++i) {
    axes_[i].initialise();
  }
  focus_ = focus_sent_ = 0;
}

// Motors and lights go on as they are (spec 13, surprise 8).
void StockFirmware::reset() {
  is_in_progress_ = false;
  for (StockAxis& axis : axes_) {
    axis.is_commanded = false;
    axis.is_homing = false;
  }
  light_.reset_trigger_mode();
  last_id_ = 0;
}

// Each loop writes Z's target anew, clamped to the limits: moving a limit moves Z (spec 5.5).
void StockFirmware::track_focus() {
  StockAxis& z = axes_[kStockZ];
  focus_ = std::max(std::min(focus_, z.upper), z.lower);
  if (!z.is_homing && focus_ != focus_sent_) {
    z.motor->move_to(focus_);
    focus_sent_ = focus_;
  }
}

bool StockFirmware::any_commanded() const {
  return std::any_of(axes_.begin(), axes_.end(), [](const StockAxis& axis) { return axis.is_commanded; });
}

void StockFirmware::poll_arrival(std::uint64_t now_us) {
  if (now_us - last_arrival_us_ <= kArrivalPollUs) {
    return;
  }
  last_arrival_us_ = now_us;
  for (StockAxis& axis : axes_) {
    const bool arrived = axis.is_commanded && !axis.motor->is_running() && axis.motor->position() == axis.target;
    if (arrived) {
      axis.is_commanded = false;
      is_in_progress_ = any_commanded();  // even while another axis is homing (spec 3.1)
    }
  }
}

// A move into a switch is "completed" (spec 3.1).
void StockFirmware::poll_switches(std::uint64_t now_us) {
  if (now_us - last_switch_us_ <= kSwitchPollUs) {
    return;
  }
  last_switch_us_ = now_us;
  for (StockAxis& axis : axes_) {
    const Direction direction = axis.travel_sign > 0 ? Direction::Positive : Direction::Negative;
    if (axis.is_commanded && !axis.is_wheel() && axis.motor->at_switch(direction)) {
      axis.is_commanded = false;
      is_in_progress_ = false;
    }
  }
}

void StockFirmware::tick() {
  const std::uint64_t now_us = board_.now_us();
  light_.tick(now_us);
  if (is_blocked(now_us)) {
    return;
  }
  track_focus();
  for (StockAxis& axis : axes_) {
    if (axis.tick_homing(now_us)) {
      is_in_progress_ = false;
      focus_ = axis.id == AxisId::Z ? 0 : focus_;
      focus_sent_ = focus_;
    }
  }
  poll_arrival(now_us);
  poll_switches(now_us);
  if (now_us - last_frame_us_ >= kFramePeriod) {
    send_frame(now_us);
  }
}

void StockFirmware::send_frame(std::uint64_t now_us) {
  last_frame_us_ = now_us;
  StatusFrame frame;
  frame.command_id = last_id_;
  frame.status = is_checksum_error_ ? ExecutionStatus::ChecksumError
                                    : (is_in_progress_ ? ExecutionStatus::InProgress : result_);
  frame.x_usteps = axes_[0].motor->position();
  frame.y_usteps = axes_[1].motor->position();
  frame.z_usteps = axes_[kStockZ].motor->position();
  frame.reset_count = generation_.is_early_1_1 ? light_.port_bits() : std::uint8_t{0};  // byte 19 (spec 11)
  frame.version = generation_.version;
  board_.send(frame.encode(false));
}

std::uint64_t StockFirmware::next_due_us() const {
  const std::uint64_t now_us = board_.now_us();
  if (is_blocked(now_us)) {
    return std::max(blocked_until_us_, light_.blocked_until_us());
  }
  const bool busy = is_in_progress_ || light_.has_strobe();
  return busy ? now_us + kLoopUs : std::min(last_frame_us_ + kFramePeriod, now_us + kArrivalPollUs);
}

std::unique_ptr<Firmware> make_stock(SimBoard& board, const std::string& version) {
  const std::optional<Generation> generation = find_generation(version);
  return generation ? std::make_unique<StockFirmware>(board, *generation) : nullptr;
}

}  // namespace squid::native
