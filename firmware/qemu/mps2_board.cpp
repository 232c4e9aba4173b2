#include "mps2_board.h"

namespace squid::qemu {
namespace {

using Register = volatile std::uint32_t;

Register& at(std::uintptr_t address) { return *reinterpret_cast<Register*>(address); }

// CMSDK UART 0.
constexpr std::uintptr_t kUartData = 0x40004000;
constexpr std::uintptr_t kUartState = 0x40004004;
constexpr std::uintptr_t kUartControl = 0x40004008;
constexpr std::uintptr_t kUartInterrupt = 0x4000400C;
constexpr std::uintptr_t kUartDivider = 0x40004010;
constexpr std::uint32_t kTransmitFull = 1;
constexpr std::uint32_t kReceiveFull = 2;
constexpr std::uint32_t kReceiveInterrupt = 2;

// CMSDK timer 0 counts down at 25 MHz.
constexpr std::uintptr_t kTimerControl = 0x40000000;
constexpr std::uintptr_t kTimerValue = 0x40000004;
constexpr std::uintptr_t kTimerReload = 0x40000008;
constexpr std::uint32_t kCountsPerUs = 25;

constexpr std::uintptr_t kTickControl = 0xE000E010;
constexpr std::uintptr_t kTickReload = 0xE000E014;
constexpr std::uintptr_t kInterruptEnable = 0xE000E100;

// Filled by the interrupt, emptied by the loop.
volatile std::uint8_t ring[1024];
volatile std::uint32_t ring_head = 0;
std::uint32_t ring_tail = 0;

}  // namespace

Mps2Board::Mps2Board()
    : motors_{native::SimMotor{{40, 0, 125, false}, 1}, native::SimMotor{{30, 0, 85, false}, 1},
              native::SimMotor{{-3, -7.5, 0, false}, 1}, native::SimMotor{{0.3, 0, 0, true}, 1},
              native::SimMotor{{0.3, 0, 0, true}, 1}} {}

void Mps2Board::begin() {
  at(kTimerReload) = 0xFFFFFFFF;
  at(kTimerValue) = 0xFFFFFFFF;
  at(kTimerControl) = 1;
  last_count_ = at(kTimerValue);
  at(kUartDivider) = 16;
  at(kUartControl) = 0b1011;  // transmit, receive, interrupt on receive
  at(kInterruptEnable) = 1;
  at(kTickReload) = 25'000 / 2 - 1;  // wakes the loop every 0.5 ms
  at(kTickControl) = 0b111;
  refresh();
}

std::uint64_t Mps2Board::now_us() {
  const std::uint32_t count = at(kTimerValue);
  elapsed_counts_ += last_count_ - count;  // it counts down, and wraps after 171 s
  last_count_ = count;
  return elapsed_counts_ / kCountsPerUs;
}

void Mps2Board::refresh() {
  const std::uint64_t now = now_us();
  for (native::SimMotor& each : motors_) {
    each.set_time(now);
  }
}

bool Mps2Board::send(const FrameBytes& frame) {
  for (const std::uint8_t byte : frame) {
    while ((at(kUartState) & kTransmitFull) != 0) {
    }
    at(kUartData) = byte;
  }
  return true;
}

void Mps2Board::lock() {
  asm volatile("cpsid i" ::: "memory");
  ++lock_depth_;
}

void Mps2Board::unlock() {
  if (--lock_depth_ == 0) {
    asm volatile("cpsie i" ::: "memory");
  }
}

std::size_t take_received(std::array<std::uint8_t, 256>& bytes) {
  std::size_t count = 0;
  while (ring_tail != ring_head && count < bytes.size()) {
    bytes[count++] = ring[ring_tail % sizeof(ring)];
    ring_tail = ring_tail + 1;
  }
  return count;
}

extern "C" void uart_received() {
  at(kUartInterrupt) = kReceiveInterrupt;
  while ((at(kUartState) & kReceiveFull) != 0) {
    ring[ring_head % sizeof(ring)] = static_cast<std::uint8_t>(at(kUartData));
    ring_head = ring_head + 1;
  }
}

}  // namespace squid::qemu
