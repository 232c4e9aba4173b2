#include "tmc_motor.h"

#include <Arduino.h>
#include <SPI.h>

#include <algorithm>
#include <cmath>

namespace squid::teensy {
namespace {

// Registers of the TMC4361A (datasheet, "Register mapping").
constexpr std::uint8_t kGeneralConf = 0x00;
constexpr std::uint8_t kReferenceConf = 0x01;
constexpr std::uint8_t kInputFilter = 0x03;
constexpr std::uint8_t kSpiOut = 0x04;
constexpr std::uint8_t kCurrentConf = 0x05;
constexpr std::uint8_t kScaleValues = 0x06;
constexpr std::uint8_t kEncoderConf = 0x07;
constexpr std::uint8_t kStepConf = 0x0A;
constexpr std::uint8_t kEvents = 0x0E;
constexpr std::uint8_t kStatus = 0x0F;
constexpr std::uint8_t kHomeSafetyMargin = 0x1E;
constexpr std::uint8_t kRampMode = 0x20;
constexpr std::uint8_t kXActual = 0x21;
constexpr std::uint8_t kVMax = 0x24;
constexpr std::uint8_t kVStart = 0x25;
constexpr std::uint8_t kAMax = 0x28;
constexpr std::uint8_t kDMax = 0x29;
constexpr std::uint8_t kAStart = 0x2A;
constexpr std::uint8_t kDFinal = 0x2B;
constexpr std::uint8_t kBow1 = 0x2D;
constexpr std::uint8_t kClockFrequency = 0x31;
constexpr std::uint8_t kVirtualStopLeft = 0x33;
constexpr std::uint8_t kVirtualStopRight = 0x34;
constexpr std::uint8_t kXLatch = 0x36;
constexpr std::uint8_t kXTarget = 0x37;
constexpr std::uint8_t kReset = 0x4F;
constexpr std::uint8_t kEncoderResolution = 0x54;
constexpr std::uint8_t kPidP = 0x5A;
constexpr std::uint8_t kPidI = 0x5B;
constexpr std::uint8_t kPidD = 0x5C;
constexpr std::uint8_t kCoverLow = 0x6C;

constexpr std::uint32_t kClockHz = 16'000'000;
constexpr std::uint32_t kStartUs = 5'000;  // a motor that was just told to move may not have begun
constexpr std::uint32_t kResetKey = 0x52535400;
constexpr std::uint32_t kSpiForTmc2660 = 0x4440108A;
constexpr std::uint32_t kPositionMode = 0b110;  // S-shaped ramps
constexpr std::uint32_t kVelocityMode = 0b010;

// Bits of STATUS.
constexpr std::uint32_t kTargetReached = 1U << 0;
constexpr std::uint32_t kVelocityState = 3U << 3;
constexpr std::uint32_t kStopLeft = 1U << 7;
constexpr std::uint32_t kStopRight = 1U << 8;
constexpr std::uint32_t kStopFlags = 0x1FU << 7;  // switches, virtual stops, stall

// Bits of REFERENCE_CONF.
constexpr std::uint32_t kStopLeftEnable = 1U << 0;
constexpr std::uint32_t kStopRightEnable = 1U << 1;
constexpr std::uint32_t kInvertStops = 1U << 4;
constexpr std::uint32_t kVirtualLeftEnable = 1U << 6;
constexpr std::uint32_t kVirtualRightEnable = 1U << 7;
constexpr std::uint32_t kVirtualStopHard = 1U << 8;
constexpr std::uint32_t kLatchOnActiveLeft = 1U << 11;
constexpr std::uint32_t kLatchOnActiveRight = 1U << 13;

const SPISettings kBus(500'000, MSBFIRST, SPI_MODE0);

std::uint32_t microstep_code(std::uint16_t microsteps) {
  std::uint32_t code = 8;  // full steps; 256 microsteps are 0
  for (unsigned n = microsteps; n > 1; n >>= 1) {
    --code;
  }
  return code;
}

}  // namespace

void TmcMotor::prepare_pin() const {
  pinMode(wiring_.select, OUTPUT);
  digitalWrite(wiring_.select, HIGH);
}

std::uint32_t TmcMotor::transfer(std::uint8_t address, std::uint32_t value) const {
  SPI.beginTransaction(kBus);
  digitalWrite(wiring_.select, LOW);
  delayMicroseconds(1);
  SPI.transfer(address);
  std::uint32_t answer = 0;
  for (int shift = 24; shift >= 0; shift -= 8) {
    answer = (answer << 8) | SPI.transfer(static_cast<std::uint8_t>(value >> shift));
  }
  delayMicroseconds(1);
  digitalWrite(wiring_.select, HIGH);
  SPI.endTransaction();
  delayMicroseconds(1);
  return answer;
}

// The chip answers in the datagram after the one that asks.
std::uint32_t TmcMotor::read(std::uint8_t address) const {
  transfer(address, 0);
  return transfer(address, 0);
}

void TmcMotor::write_driver(std::uint32_t datagram) const {
  write(kCoverLow, datagram);
  delayMicroseconds(100);  // the cover datagram must have left for the driver before the next
}

void TmcMotor::clear_events() const { read(kEvents); }

void TmcMotor::reset() {
  limits_ = {};
  write(kReset, kResetKey);
  delay(1);
  write(kClockFrequency, kClockHz);
  write(kGeneralConf, 0);
  write(kInputFilter, 0x00540022);  // switches filtered against motor noise
  configure(drive_);
  write_reference_configuration();
  write(kVStart, 0);
  write(kAStart, 0);
  write(kDFinal, 0);
  set_position(0);
}

void TmcMotor::configure(const DriveSettings& settings) {
  drive_ = settings;
  write(kSpiOut, kSpiForTmc2660);
  write(kStepConf, (200U << 4) | microstep_code(settings.microsteps));
  const double scale = settings.current_ma / 1000.0 * wiring_.sense_ohm / 0.2298 * 31;  // spec 5.3
  const auto current = static_cast<std::uint32_t>(std::min(31.0, std::fmax(0.0, scale)));
  write_driver(0x000900C3);            // CHOPCONF
  write_driver(0x000A0000);            // SMARTEN: off
  write_driver(0x000C0000 | (12U << 8) | current);  // SGCSCONF: stall threshold 12
  write_driver(0x000E00A0);            // DRVCONF: coil currents come over SPI
  const auto hold = static_cast<std::uint32_t>(settings.hold_fraction * 255);
  write(kScaleValues, (hold << 24) | 0x00FFFFFFU);
  write(kCurrentConf, 0b11);           // scale the current when driving and when holding
  write(kHomeSafetyMargin, static_cast<std::uint32_t>(settings.home_margin_usteps));
}

void TmcMotor::set_ramp(double velocity, double acceleration) {
  max_velocity_ = velocity;
  const double bow = std::fmin(acceleration * acceleration / velocity, 16'777'215.0);
  write(kVMax, static_cast<std::uint32_t>(velocity * 256));
  write(kAMax, static_cast<std::uint32_t>(acceleration * 4));
  write(kDMax, static_cast<std::uint32_t>(acceleration * 4));
  for (std::uint8_t i = 0; i < 4; ++i) {
    write(static_cast<std::uint8_t>(kBow1 + i), static_cast<std::uint32_t>(bow));
  }
}

void TmcMotor::set_limits(const SoftLimits& limits) {
  limits_ = limits;
  write(kVirtualStopLeft, static_cast<std::uint32_t>(limits.lower));
  write(kVirtualStopRight, static_cast<std::uint32_t>(limits.upper));
  write_reference_configuration();
}

// Switches are active low. A wheel's input tells where it is and must not stop it.
void TmcMotor::write_reference_configuration() const {
  std::uint32_t bits = kVirtualStopHard | kLatchOnActiveLeft | kLatchOnActiveRight;
  bits |= wiring_.is_wheel ? 0 : kStopLeftEnable | kStopRightEnable;
  bits |= wiring_.has_swapped_switches ? kInvertStops : 0;
  bits |= limits_.has_lower ? kVirtualLeftEnable : 0;
  bits |= limits_.has_upper ? kVirtualRightEnable : 0;
  write(kReferenceConf, bits);
}

void TmcMotor::set_encoder(const EncoderSettings& settings) {
  write(kEncoderResolution, settings.transitions_per_turn);
  write(kEncoderConf, settings.inverted ? 1U << 29 : 0);
  write(kPidP, settings.p);
  write(kPidI, settings.i);
  write(kPidD, settings.d);
}

void TmcMotor::close_loop(bool closed) {
  is_loop_closed_ = closed;
  const std::uint32_t without = read(kEncoderConf) & ~(3U << 22);
  write(kEncoderConf, closed ? without | (2U << 22) : without);  // regulation by PID
}

void TmcMotor::enable(bool enabled) {
  write_driver(enabled ? 0x000900C3 : 0x000900C0);  // CHOPCONF with off time 0 switches the bridges off
}

void TmcMotor::move_to(std::int32_t target) {
  clear_events();  // a stop that was met before would hold the motor
  write(kVMax, static_cast<std::uint32_t>(max_velocity_ * 256));
  write(kRampMode, kPositionMode);
  write(kXTarget, static_cast<std::uint32_t>(target));
  is_spinning_ = false;
  begin_motion();
}

void TmcMotor::spin(double velocity) {
  clear_events();
  write(kRampMode, kVelocityMode);
  write(kVMax, static_cast<std::uint32_t>(static_cast<std::int32_t>(velocity * 256)));
  velocity_ = velocity;
  is_spinning_ = true;
  begin_motion();
}

void TmcMotor::begin_motion() {
  is_standing_ = false;
  started_us_ = micros();
}

void TmcMotor::set_position(std::int32_t position) {
  write(kRampMode, kVelocityMode);
  write(kVMax, 0);
  write(kXActual, static_cast<std::uint32_t>(position));
  write(kXTarget, static_cast<std::uint32_t>(position));
  velocity_ = 0;
  is_spinning_ = true;
  position_ = position;
  is_standing_ = !is_loop_closed_;
}

std::int32_t TmcMotor::position() {
  if (!is_standing_) {
    position_ = static_cast<std::int32_t>(read(kXActual));
  }
  return position_;
}

bool TmcMotor::is_running() {
  if (is_standing_) {
    return false;
  }
  if (micros() - started_us_ < kStartUs) {
    return true;
  }
  const std::uint32_t status = read(kStatus);
  const bool has_no_speed = (status & kVelocityState) == 0;
  const bool is_stopped = (status & kStopFlags) != 0;
  const bool wants_to_stand = is_spinning_ ? velocity_ == 0 : (status & kTargetReached) != 0;
  if (!has_no_speed || !(wants_to_stand || is_stopped)) {
    return true;
  }
  position_ = static_cast<std::int32_t>(read(kXActual));
  is_standing_ = !is_loop_closed_;
  return false;
}

bool TmcMotor::at_switch(Direction direction) {
  const bool is_left = (direction == Direction::Negative) != wiring_.has_swapped_switches;
  return (read(kStatus) & (is_left ? kStopLeft : kStopRight)) != 0;
}

std::int32_t TmcMotor::switch_position() { return static_cast<std::int32_t>(read(kXLatch)); }

}  // namespace squid::teensy
