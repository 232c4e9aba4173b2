#include "teensy_board.h"

#include <Arduino.h>
#include <EEPROM.h>
#include <SPI.h>

namespace squid::teensy {
namespace {

constexpr int kResetCountAddress = 0;
constexpr std::uint8_t kDacConfig = 3;
constexpr std::uint8_t kDacGain = 4;
constexpr std::uint8_t kDacFirstChannel = 8;

const SPISettings kDacBus(1'000'000, MSBFIRST, SPI_MODE2);
const SPISettings kLedBus(1'000'000, MSBFIRST, SPI_MODE0);

void start_clock(std::uint8_t pin, float hertz) {
  pinMode(pin, OUTPUT);
  analogWriteFrequency(pin, hertz);
  analogWrite(pin, 128);  // 50 %
}

}  // namespace

TeensyBoard::TeensyBoard()
    : motors_{TmcMotor{kMotors[0]}, TmcMotor{kMotors[1]}, TmcMotor{kMotors[2]}, TmcMotor{kMotors[3]},
              TmcMotor{kMotors[4]}} {}

void TeensyBoard::begin() {
  for (const std::uint8_t pin : kOutputPins) {  // dark before anything else
    digitalWrite(pin, LOW);
    pinMode(pin, OUTPUT);
  }
  pinMode(kInterlock, INPUT_PULLUP);
  pinMode(kPowerGood, INPUT);
  pinMode(kDacSelect, OUTPUT);
  digitalWrite(kDacSelect, HIGH);
  for (const TmcMotor& each : motors_) {
    each.prepare_pin();
  }
  start_clock(kMotorClock, 16'000'000);
  start_clock(kMotorClockW2, 16'000'000);
  start_clock(kRegulatorSync, 2'000'000);
  SPI.begin();
  SPI1.begin();
}

bool TeensyBoard::power_is_good() const { return digitalRead(kPowerGood) == HIGH; }

// micros() wraps after 71 minutes; the loop calls this far more often.
std::uint64_t TeensyBoard::now_us() {
  const Lock guard(*this);
  const std::uint32_t now = micros();
  wraps_ += now < last_us_ ? 1 : 0;
  last_us_ = now;
  return (static_cast<std::uint64_t>(wraps_) << 32) | now;
}

void TeensyBoard::set_output(Output output, bool high) {
  digitalWrite(kOutputPins[static_cast<std::size_t>(output)], high ? HIGH : LOW);
}

void TeensyBoard::write_dac_register(std::uint8_t address, std::uint16_t value) {
  SPI.beginTransaction(kDacBus);
  digitalWrite(kDacSelect, LOW);
  SPI.transfer(address);
  SPI.transfer16(value);
  digitalWrite(kDacSelect, HIGH);
  SPI.endTransaction();
}

void TeensyBoard::write_dac(std::uint8_t channel, std::uint16_t value) {
  write_dac_register(static_cast<std::uint8_t>(kDacFirstChannel + channel), value);
}

void TeensyBoard::set_dac_gain(std::uint8_t refdiv, std::uint8_t gains) {
  write_dac_register(kDacConfig, 0);
  write_dac_register(kDacGain, static_cast<std::uint16_t>((refdiv << 8) | gains));
}

// APA102, blue first. About 4 ms: only the loop calls this, never the timer interrupt.
void TeensyBoard::write_leds(const LedImage& image) {
  SPI1.beginTransaction(kLedBus);
  SPI1.transfer16(0);
  SPI1.transfer16(0);
  for (const Rgb& led : image) {
    SPI1.transfer(0xFF);
    SPI1.transfer(led.blue);
    SPI1.transfer(led.green);
    SPI1.transfer(led.red);
  }
  for (std::size_t i = 0; i < kLeds / 16; ++i) {
    SPI1.transfer(0xFF);
  }
  SPI1.endTransaction();
}

bool TeensyBoard::interlock_is_safe() {
#ifdef DISABLE_LASER_INTERLOCK
  return true;
#else
  return digitalRead(kInterlock) == LOW;
#endif
}

bool TeensyBoard::send(const FrameBytes& frame) {
  if (Serial.availableForWrite() < static_cast<int>(frame.size())) {
    return false;
  }
  Serial.write(frame.data(), frame.size());
  Serial.send_now();
  return true;
}

// Kept in the EEPROM area, which outlives a reset and a power cut.
std::uint8_t TeensyBoard::reset_count() {
  const std::uint8_t before = EEPROM.read(kResetCountAddress);
  const auto now = static_cast<std::uint8_t>(before == 255 ? 1 : before + 1);
  EEPROM.write(kResetCountAddress, now);
  return now;
}

void TeensyBoard::lock() {
  __disable_irq();
  ++lock_depth_;
}

void TeensyBoard::unlock() {
  if (--lock_depth_ == 0) {
    __enable_irq();
  }
}

}  // namespace squid::teensy
