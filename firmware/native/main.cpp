#include <sys/prctl.h>

#include <csignal>
#include <iostream>

#include "options.h"
#include "virtual_controller.h"

namespace {

volatile std::sig_atomic_t is_reset_signalled = 0;

}  // namespace

int main(int count, char** arguments) {
  const auto options = squid::native::parse_options(count, arguments);
  if (!options) {
    return 2;
  }
  prctl(PR_SET_TIMERSLACK, 1UL);  // else each wait is 50 us late
  squid::native::VirtualController controller(*options);
  const std::string refusal = controller.start();
  if (!refusal.empty()) {
    std::cerr << refusal << '\n';
    return 2;
  }
  const bool handled = std::signal(SIGUSR1, [](int) { is_reset_signalled = 1; }) != SIG_ERR &&
                       std::signal(SIGPIPE, SIG_IGN) != SIG_ERR;
  if (!handled) {
    std::cerr << "cannot handle signals\n";
    return 2;
  }
  return controller.run(is_reset_signalled);
}
