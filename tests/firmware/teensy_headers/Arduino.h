// Declarations of what the Teensy layer uses of the Arduino core, so that a compiler can read it. Nothing is defined:
// what this proves is grammar and types, as the core's documentation gives them, and no more.
#pragma once

#include <cstddef>
#include <cstdint>

constexpr std::uint8_t LOW = 0, HIGH = 1, INPUT = 0, OUTPUT = 1, INPUT_PULLUP = 2;
constexpr std::uint8_t MSBFIRST = 1;

void pinMode(std::uint8_t pin, std::uint8_t mode);
void digitalWrite(std::uint8_t pin, std::uint8_t level);
std::uint8_t digitalRead(std::uint8_t pin);
void analogWrite(std::uint8_t pin, int value);
void analogWriteFrequency(std::uint8_t pin, float hertz);
std::uint32_t micros();
void delay(std::uint32_t ms);
void delayMicroseconds(std::uint32_t us);
void __disable_irq();
void __enable_irq();

struct UsbSerial {
  void begin(long baud);
  int available();
  int availableForWrite();
  std::size_t readBytes(char* buffer, std::size_t length);
  std::size_t write(const std::uint8_t* buffer, std::size_t size);
  void send_now();
};
extern UsbSerial Serial;

struct HardwareSerial {
  void begin(std::uint32_t baud);
  int available();
  int read();
};
extern HardwareSerial Serial5;

struct IntervalTimer {
  bool begin(void (*function)(), unsigned microseconds);
};
