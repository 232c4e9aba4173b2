#include "virtual_controller.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace squid::native {
namespace {

constexpr std::uint64_t kLongestWaitUs = 10'000;

bool is_on(const std::vector<std::string>& words, std::size_t at = 0) {
  return words.size() > at && (words[at] == "on" || words[at] == "1");
}

double probability(const std::vector<std::string>& words) {
  return words.empty() ? 0 : std::clamp(std::strtod(words[0].c_str(), nullptr), 0.0, 1.0);
}

}  // namespace

VirtualController::VirtualController(const Options& options)
    : options_(options), board_(options.speed), port_(options.link, options.seed) {
  port_.noise.corrupt = options.corrupt;
  port_.noise.drop = options.drop;
  port_.is_silent = options.is_silent;
  board_.on_frame = [this](const FrameBytes& frame) { return port_.send(frame); };
  board_.on_edge = [this](const Edge& edge) {
    tell("edge", edge.name, std::to_string(edge.level ? 1 : 0) + board_.standing_json());
  };
  board_.on_level = [this](const std::string& name, int value) { tell("level", name, std::to_string(value)); };
}

// What one turn of the loop does is told as of one instant, and after it: neither a busy machine nor whoever reads the
// line, and may be given this processor at once, is part of the firmware's timing.
void VirtualController::tell(const std::string& kind, const std::string& name, const std::string& values) {
  if (is_watched_) {
    untold_.push_back(Console::quote(kind) + ":[" + std::to_string(turned_us_) + "," + Console::quote(name) + "," +
                      values + "]");
  }
}

std::unique_ptr<Firmware> VirtualController::make_firmware() {
  return options_.stock_version.empty() ? make_own(board_) : make_stock(board_, options_.stock_version);
}

std::string VirtualController::start() {
  if (!make_firmware()) {
    return "there is no stock firmware " + options_.stock_version;
  }
  if (!port_.plug()) {
    return "cannot make a pseudo-terminal: " + std::error_code(errno, std::generic_category()).message();
  }
  add_questions();
  add_faults();
  add_motor_faults();
  boot(0);
  return {};
}

void VirtualController::boot(std::uint64_t silence_us) {
  firmware_.reset();
  board_.power_cycle();
  boots_at_us_ = board_.now_us() + silence_us;
}

int VirtualController::run(volatile std::sig_atomic_t& is_reset_signalled) {
  Console::print("\"port\":" + Console::quote(port_.path()));
  while (!is_quitting_) {
    if (is_reset_signalled != 0) {
      is_reset_signalled = 0;
      boot(std::uint64_t{options_.boot_ms} * 1000);
    }
    turn();
    for (const std::string& line : untold_) {
      Console::print(line);
    }
    untold_.clear();
    wait();
  }
  return 0;
}

void VirtualController::turn() {
  turned_us_ = board_.now_us();
  board_.refresh();
  if (!firmware_ && board_.now_us() >= boots_at_us_) {
    firmware_ = make_firmware();
    firmware_->begin();
  }
  if (!firmware_ || is_hung_) {
    return;
  }
  if (port_.is_plugged() && firmware_->is_listening()) {
    const std::vector<std::uint8_t> bytes = port_.receive();
    firmware_->receive(bytes.data(), bytes.size());
  }
  firmware_->tick();
}

void VirtualController::wait() {
  const std::uint64_t now = board_.now_us();
  std::uint64_t until = now + kLongestWaitUs;
  if (firmware_ && !is_hung_) {
    until = std::min(until, std::max(now, firmware_->next_due_us()));
  }
  const bool listens = firmware_ && !is_hung_ && firmware_->is_listening();
  std::array<pollfd, 2> files{pollfd{listens ? port_.descriptor() : -1, POLLIN, 0},
                              pollfd{is_stdin_open_ ? STDIN_FILENO : -1, POLLIN, 0}};
  const timespec time{0, static_cast<long>((until - now) * 1000)};
  if (ppoll(files.data(), files.size(), &time, nullptr) > 0 && files[1].revents != 0) {
    board_.refresh();
    is_stdin_open_ = console_.serve();
    is_quitting_ = is_quitting_ || (!is_stdin_open_ && !options_.is_detached);
  }
}

std::string VirtualController::state_json() {
  return "\"port\":" + Console::quote(port_.path()) + ",\"plugged\":" + (port_.is_plugged() ? "true" : "false") +
         ",\"running\":" + (firmware_ ? "true" : "false") + ",\"frames_sent\":" + std::to_string(port_.frames_sent) +
         ",\"bytes_received\":" + std::to_string(port_.bytes_received) + "," + board_.state_json();
}

void VirtualController::add_questions() {
  console_.add("state", [this](const Words&) { return state_json(); });
  console_.add("edges", [this](const Words& words) {
    std::string edges = board_.edges_json();
    if (!words.empty() && words[0] == "clear") {
      board_.clear_edges();
    }
    return edges;
  });
  console_.add("watch", [this](const Words& words) {
    is_watched_ = is_on(words);
    return std::string{};
  });
  console_.add("quit", [this](const Words&) {
    is_quitting_ = true;
    return std::string{};
  });
}

void VirtualController::add_faults() {
  console_.add("corrupt", [this](const Words& words) {
    port_.noise.corrupt = probability(words);
    return std::string{};
  });
  console_.add("drop", [this](const Words& words) {
    port_.noise.drop = probability(words);
    return std::string{};
  });
  console_.add("silent", [this](const Words& words) {
    port_.is_silent = is_on(words);
    return std::string{};
  });
  console_.add("deaf", [this](const Words& words) {
    port_.is_deaf = is_on(words);
    return std::string{};
  });
  console_.add("hang", [this](const Words& words) {
    is_hung_ = is_on(words);
    return std::string{};
  });
  console_.add("interlock", [this](const Words& words) {
    board_.is_safe = words.empty() || words[0] != "open";
    return std::string{};
  });
  console_.add("reset", [this](const Words&) {
    boot(std::uint64_t{options_.boot_ms} * 1000);
    return std::string{};
  });
  console_.add("unplug", [this](const Words&) {
    port_.unplug();
    return std::string{};
  });
  console_.add("plug", [this](const Words&) {
    return port_.plug() ? "\"port\":" + Console::quote(port_.path()) : refused(std::error_code(errno, std::generic_category()).message());
  });
}

void VirtualController::add_motor_faults() {
  const auto find = [](const Words& words) {
    std::size_t axis = 0;
    while (axis < kAxes && (words.empty() || words[0] != axis_name(axis))) {
      ++axis;
    }
    return axis;
  };
  console_.add("stall", [this, find](const Words& words) {
    const std::size_t axis = find(words);
    if (axis == kAxes) {
      return refused("no such axis");
    }
    board_.sim_motor(axis).set_stalled(is_on(words, 1));
    return std::string{};
  });
  console_.add("freeze", [this, find](const Words& words) {
    const std::size_t axis = find(words);
    if (axis == kAxes) {
      return refused("no such axis");
    }
    board_.sim_motor(axis).set_frozen(is_on(words, 1));
    return std::string{};
  });
  console_.add("panel", [this](const Words& words) {
    const std::string hex = words.empty() ? "" : words[0];
    for (std::size_t i = 0; firmware_ && i + 1 < hex.size(); i += 2) {
      firmware_->receive_panel(static_cast<std::uint8_t>(std::strtoul(hex.substr(i, 2).c_str(), nullptr, 16)));
    }
    return std::string{};
  });
}

}  // namespace squid::native
