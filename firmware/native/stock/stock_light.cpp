#include "stock_light.h"

#include <algorithm>

#include "../../core/led_patterns.h"
#include "../../core/lights.h"

namespace squid::native {
namespace {

constexpr std::uint64_t kPulseUs = 1'300;           // one turn of the main loop (spec 7)
constexpr std::uint32_t kBlockingStrobeUs = 30'000;
constexpr std::uint8_t kNoPort = 255;

std::uint8_t port_of(std::uint8_t source) {
  constexpr std::array<std::uint8_t, kPorts> kSources{11, 12, 14, 13, 15};
  const auto* const found = std::find(kSources.begin(), kSources.end(), source);
  return found == kSources.end() ? kNoPort : static_cast<std::uint8_t>(found - kSources.begin());
}

}  // namespace

void StockLight::power_on() {
  initialise_dac();
  for (std::size_t channel = 0; channel < kTriggerChannels; ++channel) {
    board_.set_output(trigger_output(channel), true);
  }
}

void StockLight::initialise_dac() { board_.set_dac_gain(0, 0x80); }

void StockLight::execute(const Packet& packet, std::uint64_t now_us) {
  const Code code = static_cast<Code>(packet.u8(1));
  switch (code) {
    case Code::TurnOnIllumination:
      is_on_ = true;
      light(source_, true);
      break;
    case Code::TurnOffIllumination:  // only the source selected last (spec 6.1)
      light(source_, false);
      is_on_ = false;
      break;
    case Code::SetIllumination:
      select(packet.u8(2), packet.u16(3));
      break;
    case Code::SetIlluminationLedMatrix:
      colour_ = {packet.u8(4), packet.u8(3), packet.u8(5)};
      select(packet.u8(2), 0);
      break;
    case Code::AnalogWriteOnboardDac:
      if (packet.u8(2) < kDacChannels) {  // stock writes past its registers; the simulation cannot
        board_.write_dac(packet.u8(2), packet.u16(3));
      }
      break;
    case Code::SetDac80508RefdivGain:
      board_.set_dac_gain(packet.u8(2), packet.u8(3));
      break;
    case Code::SetIlluminationIntensityFactor:
      factor_percent_ = std::min<std::uint8_t>(packet.u8(2), 100);
      break;
    case Code::SetPinLevel:
      set_pin(packet.u8(2), packet.u8(3) != 0);
      break;
    case Code::SendHardwareTrigger:
      fire(args::SendHardwareTrigger::decode(packet), now_us);
      break;
    case Code::SetStrobeDelay:
      if (packet.u8(2) < kTriggerChannels) {
        delays_us_[packet.u8(2)] = packet.u32(3);
      }
      break;
    case Code::SetTriggerMode:
      is_level_ = packet.u8(2) <= 1 ? packet.u8(2) == 1 : is_level_;
      break;
    default:
      execute_ports(code, packet, now_us);
      break;
  }
}

void StockLight::execute_ports(Code code, const Packet& packet, std::uint64_t now_us) {
  const std::uint8_t port = packet.u8(2);
  const std::uint8_t before = ports_;
  switch (code) {
    case Code::SetPortIntensity:
      write_intensity(port, packet.u16(3));
      break;
    case Code::TurnOnPort:
      set_port(port, true);
      break;
    case Code::TurnOffPort:
      set_port(port, false);
      break;
    case Code::SetPortIllumination:
      write_intensity(port, packet.u16(3));
      set_port(port, packet.u8(5) != 0);
      break;
    case Code::SetMultiPortMask:
      for (std::uint8_t i = 0; i < kPorts; ++i) {
        if (((packet.u16(2) >> i) & 1) != 0) {
          set_port(i, ((packet.u16(4) >> i) & 1) != 0);
        }
      }
      break;
    case Code::TurnOffAllPorts:
      all_ports_off();
      break;
    case Code::SetWatchdogTimeout:
      arm_watchdog(packet.u32(2));
      break;
    default:
      break;
  }
  for (std::size_t i = 0; i < kPorts; ++i) {
    if (((ports_ & ~before) >> i & 1) != 0) {
      port_on_us_[i] = now_us;
    }
  }
}

void StockLight::select(std::uint8_t source, std::uint16_t intensity) {
  source_ = source;
  write_intensity(port_of(source), intensity);
  if (is_on_) {
    light(source_, true);  // and the one before stays on (spec 6.1)
  }
}

void StockLight::light(std::uint8_t source, bool on) {
  if (source <= kLastPattern) {
    if (on) {
      show_matrix(source);
    } else {
      board_.write_leds({});
    }
  } else if (port_of(source) != kNoPort) {
    set_port(port_of(source), on);
  } else if (!on) {
    all_ports_off();
  }
}

void StockLight::show_matrix(std::uint8_t pattern) {
  LedImage image = led_image(pattern, colour_);
  if (static_cast<LightSource>(pattern) == LightSource::MatrixLeftBlueRightRed) {
    const auto green = static_cast<std::uint8_t>(colour_.green * 100 / 255);  // byte 3 in the green channel (spec 6.2)
    std::fill(image.begin() + kLeds / 2, image.end(), Rgb{0, green, 0});
  }
  board_.write_leds(image);
}

void StockLight::set_port(std::uint8_t port, bool on) {
  if (port >= kPorts || (on && !board_.interlock_is_safe())) {
    return;  // silently
  }
  ports_ = static_cast<std::uint8_t>(on ? ports_ | (1U << port) : ports_ & ~(1U << port));
  board_.set_output(port_output(port), on);
}

void StockLight::write_intensity(std::uint8_t port, std::uint16_t intensity) {
  if (port < kPorts) {
    board_.write_dac(port, static_cast<std::uint16_t>(std::uint32_t{intensity} * factor_percent_ / 100));
  }
}

void StockLight::all_ports_off() {
  for (std::uint8_t port = 0; port < kPorts; ++port) {
    set_port(port, false);
  }
  board_.write_leds({});
}

// Any pin, past the interlock (spec 6.3); here those that the simulation has.
void StockLight::set_pin(std::uint8_t pin, bool high) {
  constexpr std::array<std::uint8_t, kOutputs> kPins{5, 4, 22, 3, 23, 29, 30, 31, 32, 6, 9, 10, 15};
  const auto* const found = std::find(kPins.begin(), kPins.end(), pin);
  if (found != kPins.end()) {
    board_.set_output(static_cast<Output>(found - kPins.begin()), high);
  }
}

void StockLight::fire(const args::SendHardwareTrigger& a, std::uint64_t now_us) {
  const std::size_t channel = a.control & 0x0FU;
  if (channel >= kTriggerChannels || (is_level_ && shots_[channel].line_low)) {
    return;
  }
  Shot& shot = shots_[channel];
  shot.line_low = true;
  shot.fired_us = now_us;
  shot.on_time_us = a.on_time_us;
  // Without the flag nobody ends a strobe that is on: the light stays (spec 7).
  shot.controls_light = (a.control & 0x80U) != 0;
  if (shot.controls_light) {
    shot.source = source_;
  }
  board_.set_output(trigger_output(channel), false);
}

bool StockLight::has_strobe() const {
  return std::any_of(shots_.begin(), shots_.end(), [](const Shot& s) { return s.line_low || s.controls_light; });
}

void StockLight::tick(std::uint64_t now_us) {
  for (std::size_t channel = 0; channel < kTriggerChannels; ++channel) {
    tick_shot(channel, now_us);
  }
  if (!board_.interlock_is_safe()) {
    for (std::uint8_t port = 0; port < kPorts; ++port) {
      set_port(port, false);
    }
  }
  tick_watchdog(now_us);
  tick_auto_off(now_us);
}

void StockLight::tick_shot(std::size_t channel, std::uint64_t now_us) {
  Shot& shot = shots_[channel];
  const std::uint64_t elapsed = now_us - shot.fired_us;
  const std::uint64_t delay = delays_us_[channel];
  if (shot.controls_light && !shot.is_lit && elapsed >= delay) {
    shot.is_lit = true;
    light(shot.source, true);
    if (shot.on_time_us <= kBlockingStrobeUs) {
      blocked_until_us_ = now_us + shot.on_time_us;
    }
  } else if (shot.controls_light && shot.is_lit && elapsed >= delay + shot.on_time_us) {
    shot.is_lit = false;
    shot.controls_light = false;
    light(shot.source, false);
  }
  const std::uint64_t low_us = is_level_ ? delay + shot.on_time_us : kPulseUs;
  if (shot.line_low && elapsed >= low_us && !is_blocking(now_us)) {
    shot.line_low = false;
    board_.set_output(trigger_output(channel), true);
  }
}

void StockLight::arm_watchdog(std::uint32_t timeout_ms) {
  const std::uint64_t timeout_us = std::uint64_t{std::min(timeout_ms == 0 ? 5000U : timeout_ms, 3'600'000U)} * 1000;
  if (auto_off_us_ != 0) {
    auto_off_us_ = timeout_us;
  } else {
    watchdog_us_ = timeout_us;
    is_watched_ = true;
  }
}

void StockLight::tick_watchdog(std::uint64_t now_us) {
  if (is_watched_ && now_us - fed_us_ >= watchdog_us_) {
    all_ports_off();
    is_on_ = false;
    is_watched_ = false;  // one shot (spec 6.3)
  }
}

void StockLight::tick_auto_off(std::uint64_t now_us) {
  for (std::uint8_t port = 0; auto_off_us_ != 0 && port < kPorts; ++port) {
    if (((ports_ >> port) & 1) != 0 && now_us - port_on_us_[port] >= auto_off_us_) {
      set_port(port, false);
    }
  }
}

}  // namespace squid::native
