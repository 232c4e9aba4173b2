// The program's arguments.
#pragma once

#include <optional>
#include <string>

namespace squid::native {

struct Options {
  std::string link;           // symbolic link to the terminal
  std::string stock_version;  // empty: our firmware
  double corrupt = 0;         // probability for each byte, both ways
  double drop = 0;
  unsigned seed = 1;
  double speed = 1;           // of the motors
  unsigned boot_ms = 300;     // after a reset; the real one needs 700
  bool is_silent = false;
  bool is_detached = false;   // goes on when standard input ends
};

// Returns nothing, after saying why on standard error, when the arguments make no sense.
std::optional<Options> parse_options(int count, char** arguments);

}  // namespace squid::native
