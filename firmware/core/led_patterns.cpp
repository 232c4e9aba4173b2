#include "led_patterns.h"

#include <algorithm>

namespace squid {
namespace {

// Twelve columns in a serpentine, even ones from top to bottom.
constexpr std::array<std::uint8_t, 12> kColumnLengths{8, 8, 12, 12, 12, 12, 12, 12, 12, 12, 8, 8};
constexpr std::array<std::uint8_t, 12> kLowNa{45, 46, 56, 57, 58, 59, 68, 69, 70, 71, 81, 82};
constexpr std::array<std::uint8_t, 4> kLeftDot{3, 4, 11, 12};
constexpr std::array<std::uint8_t, 4> kRightDot{115, 116, 123, 124};

constexpr std::uint8_t scale(std::uint8_t value) { return static_cast<std::uint8_t>(value * 100 / 255); }

void fill(LedImage& image, std::size_t first, std::size_t end, Rgb colour) {
  for (std::size_t i = first; i < end; ++i) {
    image[i] = colour;
  }
}

void fill_rows(LedImage& image, bool top, Rgb colour) {
  std::size_t first = 0;
  for (std::size_t column = 0; column < kColumnLengths.size(); ++column) {
    const std::size_t half = kColumnLengths[column] / 2U;
    const bool is_first_half = top == (column % 2 == 0);
    const std::size_t begin = is_first_half ? first : first + half;
    fill(image, begin, begin + half, colour);
    first += kColumnLengths[column];
  }
}

template <std::size_t N>
void fill_listed(LedImage& image, const std::array<std::uint8_t, N>& leds, Rgb colour) {
  for (const std::uint8_t led : leds) {
    image[led] = colour;
  }
}

}  // namespace

LedImage led_image(std::uint8_t pattern, Rgb colour) {
  const Rgb dimmed{scale(colour.red), scale(colour.green), scale(colour.blue)};
  LedImage image{};
  switch (static_cast<LightSource>(pattern)) {
    case LightSource::MatrixFull:
      fill(image, 0, kLeds, dimmed);
      break;
    case LightSource::MatrixLeftHalf:
      fill(image, 0, kLeds / 2, dimmed);
      break;
    case LightSource::MatrixRightHalf:
      fill(image, kLeds / 2, kLeds, dimmed);
      break;
    case LightSource::MatrixLeftBlueRightRed:  // stock lights the right half in green (spec 6.2)
      fill(image, 0, kLeds / 2, {0, 0, dimmed.blue});
      fill(image, kLeds / 2, kLeds, {dimmed.red, 0, 0});
      break;
    case LightSource::MatrixLowNa:
      fill_listed(image, kLowNa, dimmed);
      break;
    case LightSource::MatrixLeftDot:
      fill_listed(image, kLeftDot, dimmed);
      break;
    case LightSource::MatrixRightDot:
      fill_listed(image, kRightDot, dimmed);
      break;
    case LightSource::MatrixTopHalf:
      fill_rows(image, true, dimmed);
      break;
    case LightSource::MatrixBottomHalf:
      fill_rows(image, false, dimmed);
      break;
    default:
      break;
  }
  return image;
}

}  // namespace squid
