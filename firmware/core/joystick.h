// The joystick panel: COBS frames of ten bytes (spec 9), and what they do to the axes.
#pragma once

#include <array>
#include <cstdint>

#include "motion.h"

namespace squid {

struct PanelReport {
  std::int32_t wheel = 0;
  std::int16_t dx = 0;
  std::int16_t dy = 0;
  bool is_pressed = false;
};

// Decodes COBS frames that end with 0; anything but ten bytes is ignored.
class PanelReader {
 public:
  // Takes one byte; returns whether report() is new.
  bool push(std::uint8_t byte);
  const PanelReport& report() const { return report_; }

 private:
  bool decode();

  std::array<std::uint8_t, 12> frame_{};
  std::size_t count_ = 0;
  PanelReport report_{};
};

class Joystick {
 public:
  explicit Joystick(Motion& motion) : motion_(motion) {}

  void receive(std::uint8_t byte);

  // Applies the newest report; `is_live` is false while a sequence owns the axes.
  void tick(std::uint64_t now_us, bool is_live);

  // The wheel's present count becomes the reference, as after INITIALIZE.
  void restart() { has_reference_ = false; }

  bool is_button_pressed() const { return button_; }
  void acknowledge_button() { button_ = false; }

 private:
  void turn_wheel(bool is_live);

  Motion& motion_;
  PanelReader reader_{};
  bool is_fresh_ = false;
  bool has_reference_ = false;
  std::int32_t reference_ = 0;
  bool button_ = false;
  bool was_pressed_ = false;
  bool is_deflected_ = false;
  std::uint64_t applied_us_ = 0;
  std::uint64_t heard_us_ = 0;
};

}  // namespace squid
