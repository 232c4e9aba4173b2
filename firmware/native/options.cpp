#include "options.h"

#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>

namespace squid::native {
namespace {

constexpr const char* kUsage =
    "usage: squid-controller [options]\n"
    "A Squid controller with simulated hardware on a pseudo-terminal; prints its path as JSON.\n"
    "  --link PATH        also make PATH a symbolic link to the terminal\n"
    "  --stock [VERSION]  behave as the stock firmware 0.0, 1.0, 1.1-early, 1.1, 1.2, 1.3 or 1.4 (default)\n"
    "  --speed FACTOR     motors run FACTOR times faster than real ones\n"
    "  --corrupt P        change each byte, both ways, with probability P\n"
    "  --drop P           lose each byte, both ways, with probability P\n"
    "  --seed N           seed of both\n"
    "  --silent           send no status frames\n"
    "  --boot-ms MS       silence after a reset (SIGUSR1, or the command reset)\n"
    "  --detach           go on when standard input ends\n"
    "Lines on standard input are commands; see docs/controller.md.\n";

double parse_number(const std::string& name, const std::string& text, double low, double high) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || used != text.size() || !(value >= low && value <= high)) {
    throw std::invalid_argument(name + " " + text + " is not a number from " + std::to_string(low) + " to " +
                                std::to_string(high));
  }
  return value;
}

}  // namespace

std::optional<Options> parse_options(int count, char** arguments) {
  Options options;
  const std::map<std::string, std::function<void(const std::string&)>> with_value{
      {"--link", [&](const std::string& v) { options.link = v; }},
      {"--speed", [&](const std::string& v) { options.speed = parse_number("--speed", v, 0.001, 1000); }},
      {"--corrupt", [&](const std::string& v) { options.corrupt = parse_number("--corrupt", v, 0, 1); }},
      {"--drop", [&](const std::string& v) { options.drop = parse_number("--drop", v, 0, 1); }},
      {"--seed", [&](const std::string& v) { options.seed = static_cast<unsigned>(parse_number("--seed", v, 0, 4e9)); }},
      {"--boot-ms",
       [&](const std::string& v) { options.boot_ms = static_cast<unsigned>(parse_number("--boot-ms", v, 0, 60000)); }},
  };
  try {
    for (int i = 1; i < count; ++i) {
      const std::string name = arguments[i];
      const bool has_value = i + 1 < count;
      if (name == "--stock") {
        const bool named = has_value && arguments[i + 1][0] != '-';
        options.stock_version = named ? arguments[++i] : "1.4";
      } else if (name == "--silent") {
        options.is_silent = true;
      } else if (name == "--detach") {
        options.is_detached = true;
      } else if (with_value.count(name) != 0 && has_value) {
        with_value.at(name)(arguments[++i]);
      } else {
        throw std::invalid_argument("unknown or incomplete argument " + name);
      }
    }
  } catch (const std::invalid_argument& error) {
    std::cerr << error.what() << '\n' << kUsage;
    return std::nullopt;
  }
  return options;
}

}  // namespace squid::native
