// The loop of the Squid controller on a Teensy 4.1.
#include <Arduino.h>

#include <algorithm>

#include "core/controller.h"
#include "teensy_board.h"

namespace {

constexpr unsigned kExposureTickUs = 50;  // resolution of trigger and strobe edges
constexpr unsigned long kPanelBaud = 115200;

squid::teensy::TeensyBoard board;
squid::Controller controller(board);
IntervalTimer exposure_timer;

void service_exposures() { controller.service_exposures(board.now_us()); }

}  // namespace

void setup() {
  board.begin();
  Serial.begin(2'000'000);  // USB ignores the number
  Serial5.begin(kPanelBaud);
  while (!board.power_is_good()) {  // the motors' chips answer only with motor power (spec 1)
    delay(10);
  }
  delay(10);
  controller.begin();
  exposure_timer.begin(service_exposures, kExposureTickUs);
}

void loop() {
  std::uint8_t bytes[256];
  const int waiting = Serial.available();
  if (waiting > 0) {
    const std::size_t wanted = std::min<std::size_t>(static_cast<std::size_t>(waiting), sizeof(bytes));
    controller.receive(bytes, Serial.readBytes(reinterpret_cast<char*>(bytes), wanted));
  }
  while (Serial5.available() > 0) {
    controller.receive_panel(static_cast<std::uint8_t>(Serial5.read()));
  }
  controller.tick();
}
