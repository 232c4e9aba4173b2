// Which of the 128 LEDs a pattern lights, in which colour (spec 6.2).
#pragma once

#include <cstdint>

#include "board.h"

namespace squid {

constexpr std::uint8_t kLastPattern = static_cast<std::uint8_t>(LightSource::MatrixBottomHalf);

// Returns the picture of a pattern (0..kLastPattern); `colour` is 0..255 a channel, the LEDs get at most 100.
LedImage led_image(std::uint8_t pattern, Rgb colour);

}  // namespace squid
