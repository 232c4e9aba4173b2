// The program's second channel: a line in, a line of JSON out. What a test asks of the simulated hardware, or does to it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace squid::native {

class Console {
 public:
  // Takes the words behind the command's name; returns JSON members, or an error as {"error": …} by throwing nothing:
  // an empty result is a plain "ok".
  using Action = std::function<std::string(const std::vector<std::string>&)>;

  void add(const std::string& name, Action action) { actions_[name] = std::move(action); }

  // Reads what waits on standard input and answers each line. Returns false at its end.
  bool serve();

  // Writes one object to standard output; `members` without the braces.
  static void print(const std::string& members);
  static std::string quote(const std::string& text);

 private:
  void answer(const std::string& line);

  std::map<std::string, Action> actions_;
  std::string pending_;
};

// An action's way to refuse: JSON members with the reason.
std::string refused(const std::string& why);

}  // namespace squid::native
