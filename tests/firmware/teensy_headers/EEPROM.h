// See Arduino.h.
#pragma once

#include <cstdint>

struct EEPROMClass {
  std::uint8_t read(int address);
  void write(int address, std::uint8_t value);
};
extern EEPROMClass EEPROM;
