#include "lights.h"

#include <algorithm>

#include "led_patterns.h"

namespace squid {
namespace {

constexpr std::uint8_t kNoPort = 255;
constexpr std::uint8_t kDefaultGains = 0x80;  // channel 7, the piezo, 0..5 V (spec 8)

// D3 is 14 and D4 is 13 (spec 6.1).
constexpr std::uint8_t port_of(LightSource source) {
  switch (source) {
    case LightSource::D1:
      return 0;
    case LightSource::D2:
      return 1;
    case LightSource::D3:
      return 2;
    case LightSource::D4:
      return 3;
    case LightSource::D5:
      return 4;
    default:
      return kNoPort;
  }
}

constexpr bool is_matrix(LightSource source) { return static_cast<std::uint8_t>(source) <= kLastPattern; }

}  // namespace

bool Lights::is_source(std::uint8_t code) {
  const auto wanted = static_cast<LightSource>(code);
  return is_matrix(wanted) || is_port(wanted) || wanted == LightSource::ExternalFet;
}

bool Lights::is_port(LightSource source) { return port_of(source) != kNoPort; }

void Lights::power_on() {
  board_.set_dac_gain(0, kDefaultGains);
  all_off();
}

Reason Lights::execute(const Packet& packet) {
  const Code code = static_cast<Code>(packet.u8(1));
  const Reason by_source = execute_source(code, packet);
  if (by_source != Reason::UnknownCommand) {
    return by_source;
  }
  const Reason by_port = execute_port(code, packet);
  return by_port != Reason::UnknownCommand ? by_port : execute_output(code, packet);
}

Reason Lights::execute_source(Code code, const Packet& packet) {
  switch (code) {
    case Code::TurnOnIllumination:
      is_on_ = switch_source(source_, true);
      return is_on_ ? Reason::None : Reason::InterlockOpen;
    case Code::TurnOffIllumination:
      switch_source(source_, false);
      is_on_ = false;
      return Reason::None;
    case Code::SetIllumination: {
      const auto a = args::SetIllumination::decode(packet);
      return is_source(a.source) ? select({static_cast<LightSource>(a.source), a.intensity, {}}, false)
                                 : Reason::BadArgument;
    }
    case Code::SetIlluminationLedMatrix: {
      const auto a = args::SetIlluminationLedMatrix::decode(packet);
      const auto pattern = static_cast<LightSource>(a.source);
      return is_matrix(pattern) ? select({pattern, 0, {a.red, a.green, a.blue}}, true) : Reason::BadArgument;
    }
    default:
      return Reason::UnknownCommand;
  }
}

// Selecting another source while one is on changes over: stock leaves the first one on for ever (spec 6.1).
Reason Lights::select(const LightSetting& setting, bool with_colour) {
  if (is_on_ && setting.source != source_) {
    switch_source(source_, false);
  }
  source_ = setting.source;
  if (with_colour) {
    colour_ = setting.colour;
  }
  if (is_port(source_)) {
    write_intensity(port_of(source_), setting.intensity);
  }
  if (is_on_) {
    is_on_ = switch_source(source_, true);
    return is_on_ ? Reason::None : Reason::InterlockOpen;
  }
  return Reason::None;
}

Reason Lights::prepare(const LightSetting& setting) {
  if (setting.source == LightSource::None) {
    return Reason::None;
  }
  return select(setting, is_matrix(setting.source));
}

bool Lights::switch_source(LightSource source, bool on) {
  const std::uint8_t port = port_of(source);
  if (port != kNoPort) {
    return set_port(port, on) == Reason::None;
  }
  if (is_matrix(source)) {
    const Lock lock(board_);
    pattern_ = static_cast<std::uint8_t>(source);
    matrix_on_ = on;
    matrix_changed_ = true;  // shown by tick(): the picture takes 4 ms to send, too long for an interrupt
  }
  return true;
}

Reason Lights::set_port(std::uint8_t port, bool on) {
  if (port >= kPorts) {
    return Reason::BadArgument;
  }
  if (on && !board_.interlock_is_safe()) {
    return Reason::InterlockOpen;
  }
  const Lock lock(board_);
  const unsigned bit = 1U << port;
  ports_on_ = static_cast<std::uint8_t>(on ? (ports_on_ | bit) : (ports_on_ & ~bit));
  board_.set_output(port_output(port), on);
  return Reason::None;
}

Reason Lights::execute_port(Code code, const Packet& packet) {
  switch (code) {
    case Code::SetPortIntensity: {
      const auto a = args::SetPortIntensity::decode(packet);
      if (a.port >= kPorts) {
        return Reason::BadArgument;
      }
      write_intensity(a.port, a.intensity);
      return Reason::None;
    }
    case Code::TurnOnPort:
      return set_port(packet.u8(2), true);
    case Code::TurnOffPort:
      return set_port(packet.u8(2), false);
    case Code::SetPortIllumination: {
      const auto a = args::SetPortIllumination::decode(packet);
      if (a.port >= kPorts) {
        return Reason::BadArgument;
      }
      write_intensity(a.port, a.intensity);
      return set_port(a.port, a.on != 0);
    }
    case Code::SetMultiPortMask: {
      const auto a = args::SetMultiPortMask::decode(packet);
      return set_mask(a.select, a.on);
    }
    case Code::TurnOffAllPorts:
      ports_off();
      return Reason::None;
    case Code::LightsOut:
      all_off();
      return Reason::None;
    default:
      return Reason::UnknownCommand;
  }
}

// All or nothing: a mask that cannot be lit as a whole lights nothing.
Reason Lights::set_mask(std::uint16_t selected, std::uint16_t on) {
  const unsigned lit = selected & on;
  if ((lit >> kPorts) != 0) {
    return Reason::BadArgument;
  }
  if (lit != 0 && !board_.interlock_is_safe()) {
    return Reason::InterlockOpen;
  }
  for (std::uint8_t port = 0; port < kPorts; ++port) {
    if (((selected >> port) & 1U) != 0) {
      set_port(port, ((on >> port) & 1U) != 0);
    }
  }
  return Reason::None;
}

Reason Lights::execute_output(Code code, const Packet& packet) {
  switch (code) {
    case Code::AnalogWriteOnboardDac: {
      const auto a = args::AnalogWriteOnboardDac::decode(packet);
      if (a.channel >= kDacChannels) {
        return Reason::BadArgument;
      }
      board_.write_dac(a.channel, a.value);
      return Reason::None;
    }
    case Code::SetDac80508RefdivGain:
      board_.set_dac_gain(packet.u8(2), packet.u8(3));
      return Reason::None;
    case Code::SetIlluminationIntensityFactor:
      factor_percent_ = std::min<std::uint8_t>(packet.u8(2), 100);
      return Reason::None;
    case Code::SetPinLevel:
      return set_pin(packet.u8(2), packet.u8(3) != 0);
    default:
      return Reason::UnknownCommand;
  }
}

// Only pins that are outputs for the user: stock lets this command raise a laser past the interlock (spec 6.3).
Reason Lights::set_pin(std::uint8_t pin, bool high) {
  Output output{};
  switch (static_cast<OutputPin>(pin)) {
    case OutputPin::Aux6:
      output = Output::Aux6;
      break;
    case OutputPin::Aux9:
      output = Output::Aux9;
      break;
    case OutputPin::Aux10:
      output = Output::Aux10;
      break;
    case OutputPin::AfLaser:
      output = Output::AfLaser;
      break;
    default:
      return Reason::BadArgument;
  }
  const unsigned bit = 1U << (static_cast<unsigned>(output) - static_cast<unsigned>(Output::Aux6));
  pins_on_ = static_cast<std::uint8_t>(high ? (pins_on_ | bit) : (pins_on_ & ~bit));
  board_.set_output(output, high);
  return Reason::None;
}

void Lights::write_intensity(std::uint8_t port, std::uint16_t intensity) {
  board_.write_dac(port, static_cast<std::uint16_t>(std::uint32_t{intensity} * factor_percent_ / 100));
}

void Lights::ports_off() {
  for (std::uint8_t port = 0; port < kPorts; ++port) {
    set_port(port, false);
  }
  const Lock lock(board_);
  matrix_on_ = false;
  matrix_changed_ = true;
  is_on_ = false;
}

void Lights::all_off() {
  ports_off();
  set_pin(static_cast<std::uint8_t>(OutputPin::AfLaser), false);
}

void Lights::tick() {
  const bool safe = board_.interlock_is_safe();
  if (!safe) {
    for (std::uint8_t port = 0; port < kPorts; ++port) {
      set_port(port, false);
    }
    is_on_ = is_on_ && !is_port(source_);  // closing it again does not restore light
  }
  interlock_event_ = interlock_event_ || (is_safe_ && !safe);
  is_safe_ = safe;
  if (matrix_changed_) {
    matrix_changed_ = false;
    board_.write_leds(matrix_on_ ? led_image(pattern_, colour_) : LedImage{});
  }
}

bool Lights::take_interlock_event() {
  const bool event = interlock_event_;
  interlock_event_ = false;
  return event;
}

std::uint32_t Lights::page() const {
  return (std::uint32_t{ports_on_} << 24) | ((matrix_on_ ? 1U : 0U) << 16) | (std::uint32_t{pattern_} << 8) | pins_on_;
}

}  // namespace squid
