// The firmware on a Cortex-M7 in QEMU: the same core, compiled for the microcontroller, answering over its UART.
#include "core/controller.h"
#include "mps2_board.h"

namespace {

squid::qemu::Mps2Board board;
squid::Controller controller(board);

}  // namespace

extern "C" void run_firmware() {
  board.begin();
  controller.begin();
  std::array<std::uint8_t, 256> bytes{};
  for (;;) {
    board.refresh();
    controller.receive(bytes.data(), squid::qemu::take_received(bytes));
    controller.tick();
    asm volatile("wfi");
  }
}
