// A bad cable: each byte may be changed or lost, reproducibly from a seed.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace squid::native {

class Noise {
 public:
  explicit Noise(unsigned seed) : random_(seed) {}

  double corrupt = 0;  // probability for a byte to become another one
  double drop = 0;     // probability for a byte to be lost

  std::vector<std::uint8_t> apply(const std::uint8_t* bytes, std::size_t count) {
    std::vector<std::uint8_t> out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (happens(drop)) {
        continue;
      }
      const auto change = static_cast<unsigned>(happens(corrupt) ? 1 + random_() % 255 : 0);
      out.push_back(static_cast<std::uint8_t>(bytes[i] ^ change));
    }
    return out;
  }

 private:
  bool happens(double probability) {
    return probability > 0 && std::uniform_real_distribution<double>{}(random_) < probability;
  }

  std::mt19937 random_;
};

}  // namespace squid::native
