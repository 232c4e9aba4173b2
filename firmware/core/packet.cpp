#include "packet.h"

#include "crc8.h"
#include "protocol.h"

namespace squid {

static_assert(sizeof(Packet::bytes) == kCommandBytes, "the definition and the packet differ");

PacketReader::Result PacketReader::push(std::uint8_t byte, std::uint64_t now_us) {
  packet_.bytes[count_++] = byte;
  last_byte_us_ = now_us;
  if (count_ < kCommandBytes) {
    return Result::Incomplete;
  }
  count_ = 0;
  const std::uint8_t crc = crc8(packet_.bytes.data(), kCommandBytes - 1);
  return crc == packet_.bytes[kCommandBytes - 1] ? Result::Good : Result::Corrupt;
}

bool PacketReader::expire(std::uint64_t now_us) {
  if (count_ == 0 || now_us - last_byte_us_ < kPartialPacketTimeoutUs) {
    return false;
  }
  count_ = 0;
  return true;
}

}  // namespace squid
