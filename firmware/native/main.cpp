#include <signal.h>
#include <sys/prctl.h>

#include <iostream>

#include "options.h"
#include "virtual_controller.h"

namespace {

squid::native::VirtualController* running = nullptr;  // for the signal handler, which takes no argument

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
  running = &controller;
  signal(SIGUSR1, [](int) { running->request_reset(); });
  signal(SIGPIPE, SIG_IGN);
  return controller.run();
}
