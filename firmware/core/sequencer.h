// Hardware sequences: a list of steps, uploaded once, that one command runs with the controller's own timing.
//
//   Move ──arrived──▶ Settle ──▶ Ready ──camera has read out──▶ Expose ──light off──▶ next step's Move …
//     │                                                                                (read-out overlaps that move)
//     └── fault, interlock, lease, abort ──▶ dark, motors stop, Aborted with the reason
//
// A step is checked with all others before anything moves. Z and piezo targets count from an origin, so that a list is
// uploaded once and run on each field at its own focus.
#pragma once

#include <array>
#include <cstdint>

#include "camera_trigger.h"
#include "lights.h"
#include "motion.h"

namespace squid {

struct Step {
  std::uint8_t targets = 0;  // StepTarget bits: what moves
  std::array<std::int32_t, kAxes> position{};
  std::int32_t piezo = 0;
  LightSetting light{};
  std::uint32_t exposure_us = 0;
  std::uint32_t settle_us = 0;   // after a move
  std::uint32_t readout_us = 0;  // from the end of the exposure to the next trigger, at least
};

class Sequencer {
 public:
  Sequencer(Board& board, Motion& motion, Lights& lights, CameraTrigger& trigger)
      : board_(board), motion_(motion), lights_(lights), trigger_(trigger) {}

  // Executes a command of sequences; UnknownCommand when it is none.
  Reason execute(const Packet& packet, std::uint64_t now_us);

  void tick(std::uint64_t now_us);

  // Ends a run, dark and standing. Harmless when none is under way.
  void abort(Reason reason);

  // Ends a run after the exposure under way, which is kept; at once when there is none.
  void finish();

  void power_on() { state_ = SequenceState::Idle; }
  bool is_running() const { return state_ == SequenceState::Running; }

  // Whether the step under way lights a laser port, which the interlock governs.
  bool needs_interlock() const;

  // Why a run ended early, once.
  Reason take_failure();

  // Whether the SEQUENCE page changed since the last call.
  bool take_progress();

  std::uint32_t progress_page() const;   // steps done (16 bit), SequenceState, Reason
  std::uint32_t step_time_page() const;  // trigger of the chosen step, us after the start of the run

  // Time at which tick() has something to do, or the largest number.
  std::uint64_t next_due_us() const { return is_running() && phase_ != Phase::Move ? due_us_ : UINT64_MAX; }

 private:
  enum class Phase : std::uint8_t { Move, Settle, Ready, Expose };

  Reason set_field(const args::SequenceSet& a);
  Reason set_light_field(StepField field, std::int32_t value);
  Reason set_time_field(StepField field, std::int32_t value);
  Reason add(std::uint16_t index);
  Reason run(const args::SequenceRun& a, std::uint64_t now_us);
  Reason check_step(const Step& step) const;
  std::int64_t target(const Step& step, std::size_t axis) const;
  static bool moves(const Step& step, std::size_t axis) { return ((step.targets >> axis) & 1U) != 0; }
  const Step& step() const { return steps_[current_]; }

  void begin_step(std::uint64_t now_us);
  bool advance(std::uint64_t now_us);  // one phase further, if it is time
  bool finish_move(std::uint64_t now_us);
  bool fire(std::uint64_t now_us);
  void finish_step(std::uint64_t now_us);

  Board& board_;
  Motion& motion_;
  Lights& lights_;
  CameraTrigger& trigger_;

  std::array<Step, kSequenceSteps> steps_{};
  std::array<std::uint32_t, kSequenceSteps> trigger_times_us_{};
  std::uint16_t size_ = 0;
  Step registers_{};
  std::int32_t z_origin_ = 0;
  std::int32_t piezo_origin_ = 0;

  SequenceState state_ = SequenceState::Idle;
  Phase phase_ = Phase::Move;
  Reason reason_ = Reason::None;
  bool is_failure_new_ = false;
  bool progressed_ = false;
  std::uint16_t current_ = 0;
  std::uint16_t end_ = 0;
  std::uint16_t done_ = 0;
  std::uint16_t chosen_ = 0;
  std::uint8_t channel_ = 0;
  bool has_moved_ = false;
  std::uint8_t moving_ = 0;  // axes that this step set going
  std::int32_t piezo_value_ = -1;  // as last written; -1 is unknown
  std::uint64_t started_us_ = 0;
  std::uint64_t due_us_ = 0;
  std::uint64_t readout_done_us_ = 0;  // of the exposure before, even of the run before
};

}  // namespace squid
