// The running program: firmware, simulated board and pseudo-terminal in one loop.
#pragma once

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "console.h"
#include "firmware.h"
#include "options.h"
#include "pty_port.h"
#include "sim_board.h"

namespace squid::native {

class VirtualController {
 public:
  explicit VirtualController(const Options& options);

  // Returns why it cannot start, or an empty text.
  std::string start();

  // Runs until told to quit; returns the exit status. `is_reset_signalled`: set by a signal's handler, cleared here.
  int run(volatile std::sig_atomic_t& is_reset_signalled);

 private:
  using Words = std::vector<std::string>;

  std::unique_ptr<Firmware> make_firmware();
  void boot(std::uint64_t silence_us);
  void wait();
  void turn();
  void tell(const std::string& kind, const std::string& name, const std::string& values);
  void add_questions();
  void add_faults();
  void add_motor_faults();
  std::string state_json();

  Options options_;
  SimBoard board_;
  PtyPort port_;
  Console console_;
  std::unique_ptr<Firmware> firmware_;
  std::uint64_t boots_at_us_ = 0;
  std::uint64_t turned_us_ = 0;
  bool is_hung_ = false;
  bool is_watched_ = false;
  std::vector<std::string> untold_;  // to whoever watches
  bool is_quitting_ = false;
  bool is_stdin_open_ = true;
};

}  // namespace squid::native
