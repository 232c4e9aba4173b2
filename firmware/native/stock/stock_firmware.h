// An emulation of the stock firmware's behaviour (spec 3 to 7, 11), so that a host can be tested against what is in the
// field, traps included. Written from the description of the behaviour. The joystick panel is not emulated.
#pragma once

#include <array>

#include "../../core/packet.h"
#include "../../core/status_frame.h"
#include "../firmware.h"
#include "stock_axis.h"
#include "stock_light.h"

namespace squid::native {

constexpr std::size_t kStockZ = 2;

struct Generation {
  std::uint8_t version;
  bool is_early_1_1;
};

class StockFirmware final : public Firmware {
 public:
  StockFirmware(SimBoard& board, Generation generation) : board_(board), light_(board), generation_(generation) {
    for (std::size_t i = 0; i < kAxes; ++i) {
      axes_[i].id = static_cast<AxisId>(i);
      axes_[i].motor = &board.motor(static_cast<AxisId>(i));
      axes_[i].power_on();
    }
  }

  void begin() override {
    light_.power_on();
    initialise();
    if (generation_.is_early_1_1) {
      light_.use_port_auto_off();
    }
  }

  void receive(const std::uint8_t* bytes, std::size_t count) override;
  void receive_panel(std::uint8_t /*byte*/) override {}
  void tick() override;
  std::uint64_t next_due_us() const override;
  bool is_listening() const override { return !is_blocked(board_.now_us()); }

 private:
  bool is_blocked(std::uint64_t now_us) const { return now_us < blocked_until_us_ || light_.is_blocking(now_us); }
  void execute(const Packet& packet, std::uint64_t now_us);
  void execute_motion(Code code, const Packet& packet, std::uint64_t now_us);
  void execute_settings(Code code, const Packet& packet);
  void move_by(StockAxis& axis, std::int32_t delta);
  void move_to(StockAxis& axis, std::int32_t target);
  void home_or_zero(const args::HomeOrZero& a, std::uint64_t now_us);
  void home_or_zero_one(std::size_t index, std::uint8_t kind, std::uint64_t now_us);
  void set_limit(const args::SetLim& a);
  void initialise();
  void reset();
  void reject();
  void track_focus();
  void poll_arrival(std::uint64_t now_us);
  void poll_switches(std::uint64_t now_us);
  bool any_commanded() const;
  void send_frame(std::uint64_t now_us);
  StockAxis* find(std::uint8_t code);

  SimBoard& board_;
  StockLight light_;
  Generation generation_;
  std::array<StockAxis, kAxes> axes_{};
  PacketReader reader_{};
  std::uint8_t last_id_ = 0;
  bool is_checksum_error_ = false;
  bool is_in_progress_ = false;  // one flag for everything
  ExecutionStatus result_ = ExecutionStatus::Completed;
  std::int32_t focus_ = 0;
  std::int32_t focus_sent_ = 0;
  std::uint64_t blocked_until_us_ = 0;
  std::uint64_t last_frame_us_ = 0;
  std::uint64_t last_arrival_us_ = 0;
  std::uint64_t last_switch_us_ = 0;
};

}  // namespace squid::native
