// An emulation of the stock firmware's behaviour (spec 3 to 7, 11), so that a host can be tested against what is in the
// field, traps included. Written from the description of the behaviour. The joystick panel is not emulated.
#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>

#include "../../core/packet.h"
#include "../../core/status_frame.h"
#include "../firmware.h"
#include "stock_axis.h"
#include "stock_light.h"

namespace squid::native {
namespace {

constexpr std::uint64_t kFramePeriod = 11'200;     // spec 2.5
constexpr std::uint64_t kArrivalPollUs = 10'000;   // spec 3.1
constexpr std::uint64_t kSwitchPollUs = 20'000;
constexpr std::uint64_t kInitialiseUs = 58'000;
constexpr std::uint64_t kLoopUs = 1'400;
constexpr std::size_t kZ = 2;

struct Generation {
  std::uint8_t version;
  bool is_early_1_1;
};

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

class StockFirmware final : public Firmware {
 public:
  StockFirmware(SimBoard& board, Generation generation) : board_(board), light_(board), generation_(generation) {
    for (std::size_t i = 0; i < kAxes; ++i) {
      axes_[i].id = static_cast<AxisId>(i);
      axes_[i].motor = &board.motor(static_cast<AxisId>(i));
      axes_[i].power_on();
    }
  }

  void begin() override {
    light_.power_on();
    initialise();
    if (generation_.is_early_1_1) {
      light_.use_port_auto_off();
    }
  }

  void receive(const std::uint8_t* bytes, std::size_t count) override;
  void receive_panel(std::uint8_t /*byte*/) override {}
  void tick() override;
  std::uint64_t next_due_us() const override;
  bool is_listening() const override { return !is_blocked(board_.now_us()); }

 private:
  bool is_blocked(std::uint64_t now_us) const { return now_us < blocked_until_us_ || light_.is_blocking(now_us); }
  void execute(const Packet& packet, std::uint64_t now_us);
  void execute_motion(Code code, const Packet& packet, std::uint64_t now_us);
  void execute_settings(Code code, const Packet& packet);
  void move_by(StockAxis& axis, std::int32_t delta);
  void move_to(StockAxis& axis, std::int32_t target);
  void home_or_zero(const args::HomeOrZero& a, std::uint64_t now_us);
  void home_or_zero_one(std::size_t index, std::uint8_t kind, std::uint64_t now_us);
  void set_limit(const args::SetLim& a);
  void initialise();
  void reset();
  void reject();
  void track_focus();
  void poll_arrival(std::uint64_t now_us);
  void poll_switches(std::uint64_t now_us);
  bool any_commanded() const;
  void send_frame(std::uint64_t now_us);
  StockAxis* find(std::uint8_t code);

  SimBoard& board_;
  StockLight light_;
  Generation generation_;
  std::array<StockAxis, kAxes> axes_{};
  PacketReader reader_{};
  std::uint8_t last_id_ = 0;
  bool is_checksum_error_ = false;
  bool is_in_progress_ = false;  // one flag for everything
  ExecutionStatus result_ = ExecutionStatus::Completed;
  std::int32_t focus_ = 0;
  std::int32_t focus_sent_ = 0;
  std::uint64_t blocked_until_us_ = 0;
  std::uint64_t last_frame_us_ = 0;
  std::uint64_t last_arrival_us_ = 0;
  std::uint64_t last_switch_us_ = 0;
};

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

void StockFirmware::execute_motion(Code code, const Packet& packet, std::uint64_t now_us) {
  const std::int32_t value = packet.i32(2);
  switch (code) {
    case Code::MoveX:
      return move_by(axes_[0], value);
    case Code::MoveY:
      return move_by(axes_[1], value);
    case Code::MoveZ:
      return move_by(axes_[kZ], value);
    case Code::MoveW:
      return move_by(axes_[3], value);
    case Code::MoveW2:
      return move_by(axes_[4], value);
    case Code::MovetoX:
      return move_to(axes_[0], value);
    case Code::MovetoY:
      return move_to(axes_[1], value);
    case Code::MovetoZ:
      return move_to(axes_[kZ], value);
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
  if (&axis == &axes_[kZ]) {
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
  if (&axis == &axes_[kZ]) {
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
    focus_ = index == kZ ? 0 : focus_;
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

void StockFirmware::initialise() {
  for (std::size_t i = 0; i <= kZ; ++i) {
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
  StockAxis& z = axes_[kZ];
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
  frame.z_usteps = axes_[kZ].motor->position();
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

StockAxis* StockFirmware::find(std::uint8_t code) {
  switch (static_cast<AxisCode>(code)) {
    case AxisCode::X:
      return axes_.data();
    case AxisCode::Y:
      return &axes_[1];
    case AxisCode::Z:
      return &axes_[kZ];
    case AxisCode::W:
      return &axes_[3];
    case AxisCode::W2:
      return &axes_[4];
    default:
      return nullptr;
  }
}

}  // namespace

std::unique_ptr<Firmware> make_stock(SimBoard& board, const std::string& version) {
  const std::optional<Generation> generation = find_generation(version);
  return generation ? std::make_unique<StockFirmware>(board, *generation) : nullptr;
}

}  // namespace squid::native
