// See Arduino.h.
#pragma once

#include <cstdint>

constexpr std::uint8_t SPI_MODE0 = 0x00, SPI_MODE2 = 0x08;

struct SPISettings {
  SPISettings(std::uint32_t clock, std::uint8_t order, std::uint8_t mode);
};

struct SPIClass {
  void begin();
  void beginTransaction(SPISettings settings);
  void endTransaction();
  std::uint8_t transfer(std::uint8_t data);
  std::uint16_t transfer16(std::uint16_t data);
};
extern SPIClass SPI, SPI1;
