// Recognises a packet that a host re-sent although it was executed (spec 3.4, 13.1).
//
// A host re-sends the last packet it sent, byte for byte; a new command bears a new id. So only the immediate repetition
// of a packet is a duplicate: looking further back would swallow a genuine command once the id has wrapped.
#pragma once

#include <cstdint>

#include "packet.h"
#include "protocol.h"

namespace squid {

class DuplicateFilter {
 public:
  // Whether `packet` repeats the previous good one and must not be executed again. Remembers it either way.
  bool is_repeat(const Packet& packet, std::uint64_t now_us) {
    const bool same = seen_ && packet.bytes == last_.bytes && now_us - last_us_ < kRepeatWindowUs;
    last_ = packet;
    last_us_ = now_us;
    seen_ = true;
    return same && !is_repeatable(static_cast<Code>(packet.u8(1)));
  }

 private:
  Packet last_{};
  std::uint64_t last_us_ = 0;
  bool seen_ = false;
};

}  // namespace squid
