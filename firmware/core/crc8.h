// CRC-8, most significant bit first, no final xor (spec 2.3: polynomial 0x07, start 0).
#pragma once

#include <cstddef>
#include <cstdint>

namespace squid {

constexpr std::uint8_t crc8(const std::uint8_t* bytes, std::size_t count, std::uint8_t polynomial = 0x07,
                            std::uint8_t start = 0) {
  unsigned crc = start;
  for (std::size_t i = 0; i < count; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) {
      const bool carry = (crc & 0x80U) != 0;
      crc = (crc << 1) & 0xFFU;
      if (carry) {
        crc ^= polynomial;
      }
    }
  }
  return static_cast<std::uint8_t>(crc);
}

}  // namespace squid
