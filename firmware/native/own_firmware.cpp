#include "../core/controller.h"
#include "firmware.h"

namespace squid::native {
namespace {

class OwnFirmware final : public Firmware {
 public:
  explicit OwnFirmware(SimBoard& board) : board_(board), controller_(board) {}

  void begin() override { controller_.begin(); }
  void receive(const std::uint8_t* bytes, std::size_t count) override { controller_.receive(bytes, count); }
  void receive_panel(std::uint8_t byte) override { controller_.receive_panel(byte); }
  void tick() override {
    controller_.service_exposures(board_.now_us());
    controller_.tick();
  }
  std::uint64_t next_due_us() const override { return controller_.next_due_us(); }
  bool is_listening() const override { return true; }

 private:
  SimBoard& board_;
  Controller controller_;
};

}  // namespace

std::unique_ptr<Firmware> make_own(SimBoard& board) { return std::make_unique<OwnFirmware>(board); }

}  // namespace squid::native
