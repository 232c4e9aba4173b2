#include "sim_board.h"

#include <algorithm>
#include <ctime>
#include <sstream>
#include <string_view>

namespace squid::native {
namespace {

// A Squid's stage, roughly: X and Y home to the left, Z to the right (spec 5.4, 10).
constexpr Travel kX{40, 0, 125, false};
constexpr Travel kY{30, 0, 85, false};
constexpr Travel kZ{-3, -7.5, 0, false};
constexpr Travel kWheel{0.3, 0, 0, true};

constexpr std::size_t kMaxEdges = 200'000;

bool is_lit(const Rgb& led) { return led.red != 0 || led.green != 0 || led.blue != 0; }

int brightest(const LedImage& image) {
  int level = 0;
  for (const Rgb& led : image) {
    level = std::max({level, int{led.red}, int{led.green}, int{led.blue}});
  }
  return level;
}

std::string rgb_json(const Rgb& led) {
  return "[" + std::to_string(led.red) + "," + std::to_string(led.green) + "," + std::to_string(led.blue) + "]";
}

}  // namespace

std::string output_name(std::size_t output) {
  static constexpr std::array<std::string_view, kOutputs> kNames{"D1",       "D2",       "D3",    "D4",    "D5",
                                                            "trigger0", "trigger1", "trigger2", "trigger3", "aux6",
                                                            "aux9",     "aux10",    "af_laser"};
  return std::string{kNames[output]};
}

std::string axis_name(std::size_t axis) {
  static constexpr std::array<std::string_view, kAxes> kNames{"x", "y", "z", "w", "w2"};
  return std::string{kNames[axis]};
}

SimBoard::SimBoard(double motor_speed)
    : motors_{SimMotor{kX, motor_speed}, SimMotor{kY, motor_speed}, SimMotor{kZ, motor_speed},
              SimMotor{kWheel, motor_speed}, SimMotor{kWheel, motor_speed}} {}

void SimBoard::power_cycle() {
  refresh();
  for (std::size_t i = 0; i < kOutputs; ++i) {
    set_output(static_cast<Output>(i), false);
  }
  for (SimMotor& each : motors_) {
    each.reset();
  }
  write_leds({});
  dac_ = {};
  reset_count_ = static_cast<std::uint8_t>(reset_count_ == 255 ? 1 : reset_count_ + 1);
}

std::uint64_t SimBoard::now_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U + static_cast<std::uint64_t>(now.tv_nsec) / 1000U;
}

void SimBoard::refresh() {
  const std::uint64_t now = now_us();
  for (SimMotor& each : motors_) {
    each.set_time(now);
  }
}

void SimBoard::set_output(Output output, bool high) {
  bool& level = outputs_[static_cast<std::size_t>(output)];
  if (level != high) {
    level = high;
    record(output_name(static_cast<std::size_t>(output)), high);
  }
}

void SimBoard::set_dac_gain(std::uint8_t refdiv, std::uint8_t gains) {
  refdiv_ = refdiv;
  gains_ = gains;
}

void SimBoard::write_dac(std::uint8_t channel, std::uint16_t value) {
  if (dac_[channel] != value && on_level) {
    on_level("dac" + std::to_string(channel), value);
  }
  dac_[channel] = value;
}

void SimBoard::write_leds(const LedImage& image) {
  if (on_level && brightest(image) != brightest(leds_)) {
    on_level("matrix_level", brightest(image));
  }
  const bool was_on = std::any_of(leds_.begin(), leds_.end(), is_lit);
  const bool on = std::any_of(image.begin(), image.end(), is_lit);
  leds_ = image;
  if (on != was_on) {
    record("matrix", on);
  }
}

void SimBoard::record(const std::string& name, bool level) {
  const Edge edge{now_us(), name, level};
  if (edges_.size() < kMaxEdges) {
    edges_.push_back(edge);
  }
  if (on_edge) {
    on_edge(edge);
  }
}

std::string SimBoard::state_json() {
  refresh();
  std::ostringstream out;
  out << "\"now_us\":" << now_us() << ",\"reset_count\":" << int{reset_count_} << ",\"interlock_safe\":"
      << (is_safe ? "true" : "false") << ",\"outputs\":{";
  for (std::size_t i = 0; i < kOutputs; ++i) {
    out << (i == 0 ? "" : ",") << '"' << output_name(i) << "\":" << (outputs_[i] ? "true" : "false");
  }
  out << "},\"dac\":[";
  for (std::size_t i = 0; i < kDacChannels; ++i) {
    out << (i == 0 ? "" : ",") << dac_[i];
  }
  out << "],\"dac_refdiv\":" << int{refdiv_} << ",\"dac_gains\":" << int{gains_} << ",\"matrix\":{\"lit\":"
      << std::count_if(leds_.begin(), leds_.end(), is_lit) << ",\"left_rgb\":" << rgb_json(leds_.front())
      << ",\"right_rgb\":" << rgb_json(leds_.back()) << "},\"axes\":{";
  for (std::size_t i = 0; i < kAxes; ++i) {
    SimMotor& each = motors_[i];
    out << (i == 0 ? "" : ",") << '"' << axis_name(i) << "\":{\"usteps\":" << each.position()
        << ",\"carriage_mm\":" << each.carriage_mm() << ",\"running\":" << (each.is_running() ? "true" : "false")
        << '}';
  }
  out << '}';
  return out.str();
}

std::string SimBoard::standing_json() {
  std::string positions;
  for (std::size_t i = 0; i < 3; ++i) {
    if (motors_[i].is_running()) {
      return {};
    }
    positions += "," + std::to_string(motors_[i].position());
  }
  return positions;
}

std::string SimBoard::edges_json() const {
  std::ostringstream out;
  out << "\"edges\":[";
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    out << (i == 0 ? "" : ",") << '[' << edges_[i].time_us << ",\"" << edges_[i].name << "\","
        << (edges_[i].level ? 1 : 0) << ']';
  }
  out << ']';
  return out.str();
}

}  // namespace squid::native
