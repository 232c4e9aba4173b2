#include "status_frame.h"

#include "crc8.h"

namespace squid {
namespace {

void put32(FrameBytes& frame, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    frame[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  }
}

}  // namespace

FrameBytes StatusFrame::encode(bool guarded) const {
  FrameBytes frame{};
  frame[status_at::kCommandId] = command_id;
  frame[status_at::kExecutionStatus] = static_cast<std::uint8_t>(status);
  put32(frame, status_at::kXUsteps, static_cast<std::uint32_t>(x_usteps));
  put32(frame, status_at::kYUsteps, static_cast<std::uint32_t>(y_usteps));
  put32(frame, status_at::kZUsteps, static_cast<std::uint32_t>(z_usteps));
  put32(frame, status_at::kPageData, page_data);
  frame[status_at::kInputs] = inputs;
  frame[status_at::kResetCount] = reset_count;
  frame[status_at::kFlags] = flags;
  frame[status_at::kVersion] = version;
  if (guarded) {
    frame[status_at::kGuard] = frame_guard(frame);
  }
  frame[status_at::kCrc] = crc8(frame.data(), kStatusBytes - 1, kCrcPolynomial);
  return frame;
}

std::uint8_t frame_guard(const FrameBytes& frame) {
  const std::uint8_t guard = crc8(frame.data(), status_at::kGuard, kGuardPolynomial, kGuardStart);
  return crc8(&frame[status_at::kVersion], 1, kGuardPolynomial, guard);
}

std::uint8_t packet_guard(const Packet& packet) {
  return crc8(packet.bytes.data(), 6, kGuardPolynomial, kGuardStart);
}

}  // namespace squid
