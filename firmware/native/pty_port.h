// The serial link: a pseudo-terminal that can be pulled and plugged in again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../core/status_frame.h"
#include "noise.h"

namespace squid::native {

class PtyPort {
 public:
  // `link`: path of a symbolic link to the terminal, or empty.
  PtyPort(std::string link, unsigned seed);
  ~PtyPort();
  PtyPort(const PtyPort&) = delete;
  PtyPort& operator=(const PtyPort&) = delete;

  // Returns false, with errno set, when no terminal is to be had.
  bool plug();
  void unplug();
  bool is_plugged() const { return master_ >= 0; }

  int descriptor() const { return master_; }
  const std::string& path() const { return path_; }

  // Everything that waits, after the noise.
  std::vector<std::uint8_t> receive();

  // Sends a frame whole, or returns false when the host does not read.
  bool send(const FrameBytes& frame);

  bool is_silent = false;
  bool is_deaf = false;
  Noise noise;
  std::uint64_t frames_sent = 0;
  std::uint64_t bytes_received = 0;

 private:
  bool fail();

  std::string link_;
  std::string path_;
  int master_ = -1;
  int slave_ = -1;  // held open, so that the terminal stays raw while no host has it
};

}  // namespace squid::native
