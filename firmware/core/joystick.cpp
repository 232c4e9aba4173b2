#include "joystick.h"

namespace squid {
namespace {

constexpr std::size_t kPayload = 10;
constexpr std::uint64_t kPeriodUs = 30'000;
constexpr std::uint64_t kSilenceUs = 200'000;  // a panel sends every 2 ms; an unplugged one must not drive on
constexpr double kFullScale = 32768.0;

}  // namespace

bool PanelReader::push(std::uint8_t byte) {
  if (byte != 0) {
    if (count_ < frame_.size()) {
      frame_[count_] = byte;
    }
    ++count_;
    return false;
  }
  const bool is_new = count_ == kPayload + 1 && decode();
  count_ = 0;
  return is_new;
}

bool PanelReader::decode() {
  std::array<std::uint8_t, kPayload + 1> out{};
  std::size_t written = 0;
  std::size_t at = 0;
  while (at < kPayload + 1) {
    const std::size_t run = frame_[at];  // this byte and run - 1 others, then a zero
    if (at + run > kPayload + 1) {
      return false;
    }
    for (std::size_t i = 1; i < run; ++i) {
      out[written++] = frame_[at + i];
    }
    at += run;
    out[written < kPayload ? written : kPayload] = 0;
    ++written;
  }
  Packet fields{};
  for (std::size_t i = 0; i < 8; ++i) {
    fields.bytes[i] = out[i];
  }
  report_ = {fields.i32(0), static_cast<std::int16_t>(fields.u16(4)), static_cast<std::int16_t>(fields.u16(6)),
             out[8] == 0};
  return true;
}

void Joystick::receive(std::uint8_t byte) {
  if (reader_.push(byte)) {
    is_fresh_ = true;
  }
}

void Joystick::tick(std::uint64_t now_us, bool is_live) {
  if (is_fresh_) {
    is_fresh_ = false;
    heard_us_ = now_us;
    const PanelReport& report = reader_.report();
    button_ = button_ || (report.is_pressed && !was_pressed_);
    was_pressed_ = report.is_pressed;
    is_deflected_ = report.dx != 0 || report.dy != 0;
    turn_wheel(is_live);
  } else if (is_deflected_ && now_us - heard_us_ > kSilenceUs) {
    is_deflected_ = false;
    motion_.axis(AxisId::X).jog(0);
    motion_.axis(AxisId::Y).jog(0);
    return;
  }
  if (!is_live || heard_us_ == 0 || now_us - applied_us_ < kPeriodUs) {
    return;
  }
  applied_us_ = now_us;
  motion_.axis(AxisId::X).jog(is_deflected_ ? -reader_.report().dx / kFullScale : 0);
  motion_.axis(AxisId::Y).jog(is_deflected_ ? reader_.report().dy / kFullScale : 0);
}

void Joystick::turn_wheel(bool is_live) {
  const std::int32_t wheel = reader_.report().wheel;
  if (is_live && has_reference_ && wheel != reference_) {
    motion_.axis(AxisId::Z).nudge(
        static_cast<std::int32_t>(static_cast<std::uint32_t>(wheel) - static_cast<std::uint32_t>(reference_)));
  }
  reference_ = wheel;
  has_reference_ = true;
}

}  // namespace squid
