#include "pty_port.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace squid::native {
namespace {

// A host that has not read this much for some reason gets no further frames until it does; never part of one.
constexpr int kMaxUnreadBytes = 100 * static_cast<int>(kStatusBytes);

}  // namespace

PtyPort::PtyPort(std::string link, unsigned seed) : noise(seed), link_(std::move(link)) {}

PtyPort::~PtyPort() { unplug(); }

bool PtyPort::fail() {
  const int error = errno;
  unplug();
  errno = error;
  return false;
}

bool PtyPort::plug() {
  unplug();
  master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) {
    return fail();
  }
  std::array<char, 128> name{};
  if (ptsname_r(master_, name.data(), name.size()) != 0) {
    return fail();
  }
  path_ = name.data();
  slave_ = open(path_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  termios settings{};
  if (slave_ < 0 || tcgetattr(slave_, &settings) != 0) {
    return fail();
  }
  cfmakeraw(&settings);
  if (tcsetattr(slave_, TCSANOW, &settings) != 0 || fcntl(master_, F_SETFL, O_NONBLOCK) != 0) {
    return fail();
  }
  if (!link_.empty()) {
    unlink(link_.c_str());
    if (symlink(path_.c_str(), link_.c_str()) != 0) {
      return fail();
    }
  }
  return true;
}

void PtyPort::unplug() {
  if (!link_.empty() && master_ >= 0) {
    unlink(link_.c_str());
  }
  if (master_ >= 0) {
    close(master_);
  }
  if (slave_ >= 0) {
    close(slave_);
  }
  master_ = slave_ = -1;
}

std::vector<std::uint8_t> PtyPort::receive() {
  std::array<std::uint8_t, 4096> buffer{};
  const ssize_t count = read(master_, buffer.data(), buffer.size());
  if (count <= 0) {
    return {};
  }
  bytes_received += static_cast<std::uint64_t>(count);
  if (is_deaf) {
    return {};
  }
  return noise.apply(buffer.data(), static_cast<std::size_t>(count));
}

bool PtyPort::send(const FrameBytes& frame) {
  int unread = 0;
  if (is_silent || !is_plugged() || ioctl(slave_, FIONREAD, &unread) != 0 || unread > kMaxUnreadBytes) {
    return false;
  }
  const std::vector<std::uint8_t> bytes = noise.apply(frame.data(), frame.size());
  ++frames_sent;
  return write(master_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
}

}  // namespace squid::native
