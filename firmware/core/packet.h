// A command packet and the reader that finds packets in a stream of bytes (spec 2.1, 2.6).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace squid {

// Eight bytes: id, code, five parameters, CRC. Accessors are big-endian; `at` counts from the packet's start.
struct Packet {
  std::array<std::uint8_t, 8> bytes{};

  constexpr std::uint8_t u8(std::size_t at) const { return bytes[at]; }
  constexpr std::uint16_t u16(std::size_t at) const {
    return static_cast<std::uint16_t>((bytes[at] << 8) | bytes[at + 1]);
  }
  constexpr std::uint32_t u32(std::size_t at) const {
    return (static_cast<std::uint32_t>(u16(at)) << 16) | u16(at + 2);
  }
  constexpr std::int32_t i32(std::size_t at) const { return static_cast<std::int32_t>(u32(at)); }
  constexpr std::uint8_t id() const { return bytes[0]; }
};

// Collects bytes into packets. There is no start marker: a corrupt block is answered by throwing away what waits behind
// it (the caller's part), a block that stays incomplete by giving it up.
class PacketReader {
 public:
  enum class Result : std::uint8_t { Incomplete, Good, Corrupt };

  // Takes one byte; after Good or Corrupt the block is in packet().
  Result push(std::uint8_t byte, std::uint64_t now_us);

  // Gives up a block whose bytes stopped coming, so that a host that died mid-packet does not cost the next host its
  // first one. Returns whether there was such a block; its id is in packet().
  bool expire(std::uint64_t now_us);

  const Packet& packet() const { return packet_; }
  bool is_partial() const { return count_ > 0; }
  std::uint64_t last_byte_us() const { return last_byte_us_; }

 private:
  Packet packet_{};
  std::size_t count_ = 0;
  std::uint64_t last_byte_us_ = 0;
};

}  // namespace squid
