// The firmware: packets in, status frames out, and everything in between on one loop.
//
//   bytes ─▶ PacketReader ─▶ DuplicateFilter ─▶ dispatch ─▶ Motion · Lights · CameraTrigger · Sequencer
//   tick() ─▶ lease, motion, sequence, light, joystick ─▶ StatusFrame every 10 ms and at once when something changed
#pragma once

#include <cstddef>
#include <cstdint>

#include "board.h"
#include "camera_trigger.h"
#include "duplicate_filter.h"
#include "joystick.h"
#include "lease.h"
#include "lights.h"
#include "motion.h"
#include "packet.h"
#include "reporter.h"
#include "sequencer.h"

namespace squid {

class Controller {
 public:
  explicit Controller(Board& board);

  // Puts the hardware into its safe state; call once, when motor power is good.
  void begin();

  // Takes what has come from the host, all of it: bytes behind a corrupt block are thrown away with it.
  void receive(const std::uint8_t* bytes, std::size_t count);

  // Takes a byte from the joystick panel.
  void receive_panel(std::uint8_t byte) { joystick_.receive(byte); }

  // One turn of the loop.
  void tick();

  // Edges of triggers and strobes; may be called from a timer interrupt.
  void service_exposures(std::uint64_t now_us) { trigger_.service(now_us); }

  // Time at which tick() must run again at the latest, for a board that sleeps in between.
  std::uint64_t next_due_us() const;

  const Motion& motion() const { return motion_; }
  const Lights& lights() const { return lights_; }

 private:
  void take_packet(const Packet& packet, std::uint64_t now_us);
  void take_corrupt(std::uint8_t id);
  Reason dispatch(const Packet& packet, std::uint64_t now_us);
  Reason execute_system(const Packet& packet, std::uint64_t now_us);
  static bool waits_for_sequence(Code code);
  void darken_first(Code code);
  void reset();
  void fail(Reason reason);
  void watch(std::uint64_t now_us);
  void report(std::uint64_t now_us);
  ExecutionStatus status() const;
  std::uint8_t flags() const;
  std::uint32_t page_data(Page page) const;
  StatusFrame frame() const;

  Board& board_;
  Motion motion_;
  Lights lights_;
  CameraTrigger trigger_;
  Sequencer sequencer_;
  Joystick joystick_;
  PacketReader reader_{};
  DuplicateFilter duplicates_{};
  Lease lease_{};
  Reporter reporter_{};

  std::uint8_t last_id_ = 0;
  Code last_code_ = Code::Reset;  // of the last refused or failed command
  bool is_checksum_error_ = false;
  Reason result_ = Reason::None;
  std::uint8_t events_ = 0;  // latched Flag bits
  bool was_commanded_ = false;
  std::uint8_t reset_count_ = 0;
};

}  // namespace squid
