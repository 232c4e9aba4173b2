#include "camera_trigger.h"

#include <algorithm>
#include <limits>

namespace squid {
namespace {

constexpr std::uint32_t kPulseUs = 1'000;  // stock's is one turn of its loop, about 1.3 ms: what cameras in the field see
constexpr std::uint8_t kStrobeBit = 0x80;
constexpr std::uint8_t kChannelBits = 0x0F;

}  // namespace

void CameraTrigger::power_on() {
  for (std::size_t channel = 0; channel < kTriggerChannels; ++channel) {
    board_.set_output(trigger_output(channel), true);
  }
}

Reason CameraTrigger::execute(const Packet& packet, std::uint64_t now_us) {
  switch (static_cast<Code>(packet.u8(1))) {
    case Code::SendHardwareTrigger: {
      const auto a = args::SendHardwareTrigger::decode(packet);
      const bool strobe = (a.control & kStrobeBit) != 0;
      const auto channel = static_cast<std::uint8_t>(a.control & kChannelBits);
      return fire(channel, strobe ? lights_.source() : LightSource::None, a.on_time_us, now_us);
    }
    case Code::SetStrobeDelay: {
      const auto a = args::SetStrobeDelay::decode(packet);
      if (a.channel >= kTriggerChannels) {
        return Reason::BadArgument;
      }
      delays_us_[a.channel] = a.delay_us;
      return Reason::None;
    }
    case Code::SetTriggerMode:
      if (packet.u8(2) > static_cast<std::uint8_t>(TriggerMode::Level)) {
        return Reason::BadArgument;
      }
      mode_ = static_cast<TriggerMode>(packet.u8(2));
      return Reason::None;
    default:
      return Reason::UnknownCommand;
  }
}

Reason CameraTrigger::fire(std::uint8_t channel, LightSource source, std::uint32_t on_time_us, std::uint64_t now_us) {
  if (channel >= kTriggerChannels) {
    return Reason::BadArgument;
  }
  const bool with_light = source != LightSource::None;
  if (with_light && Lights::is_port(source) && !board_.interlock_is_safe()) {
    return Reason::InterlockOpen;
  }
  // One exposure a channel, one strobe at all: stock, triggered again meanwhile, leaves the light on for ever (spec 7).
  const Lock lock(board_);
  if (is_active(channel) || (with_light && has_any_light())) {
    return Reason::Busy;
  }
  Shot& shot = shots_[channel];
  shot.light_on_us = now_us + delays_us_[channel];
  shot.light_off_us = shot.light_on_us + on_time_us;
  shot.line_high_us = mode_ == TriggerMode::Edge ? now_us + kPulseUs : shot.light_off_us;
  shot.source = source;
  shot.line_low = true;
  shot.has_light = with_light;
  shot.is_lit = false;
  board_.set_output(trigger_output(channel), false);
  return Reason::None;
}

bool CameraTrigger::has_any_light() const {
  return std::any_of(shots_.begin(), shots_.end(), [](const Shot& shot) { return shot.has_light; });
}

void CameraTrigger::service(std::uint64_t now_us) {
  const Lock lock(board_);  // the loop calls this, too
  for (std::size_t channel = 0; channel < kTriggerChannels; ++channel) {
    Shot& shot = shots_[channel];
    if (shot.has_light && now_us >= shot.light_off_us) {
      end_light(shot);
    } else if (shot.has_light && !shot.is_lit && now_us >= shot.light_on_us) {
      shot.is_lit = lights_.switch_source(shot.source, true);
      shot.has_light = shot.is_lit;  // the interlock opened since the trigger
    }
    if (shot.line_low && now_us >= shot.line_high_us) {
      end_line(channel);
    }
  }
}

void CameraTrigger::end_light(Shot& shot) {
  if (shot.is_lit) {
    lights_.switch_source(shot.source, false);
  }
  shot.is_lit = false;
  shot.has_light = false;
}

void CameraTrigger::end_line(std::size_t channel) {
  shots_[channel].line_low = false;
  board_.set_output(trigger_output(channel), true);
}

void CameraTrigger::cancel_light() {
  const Lock lock(board_);
  for (Shot& shot : shots_) {
    end_light(shot);
  }
}

void CameraTrigger::cancel() {
  cancel_light();
  const Lock lock(board_);
  for (std::size_t channel = 0; channel < kTriggerChannels; ++channel) {
    end_line(channel);
  }
}

std::uint64_t CameraTrigger::next_edge_us() const {
  std::uint64_t next = std::numeric_limits<std::uint64_t>::max();
  for (const Shot& shot : shots_) {
    if (shot.has_light) {
      next = std::min(next, shot.is_lit ? shot.light_off_us : shot.light_on_us);
    }
    if (shot.line_low) {
      next = std::min(next, shot.line_high_us);
    }
  }
  return next;
}

}  // namespace squid
