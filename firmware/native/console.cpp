#include "console.h"

#include <unistd.h>

#include <array>
#include <iostream>
#include <sstream>

namespace squid::native {

bool Console::serve() {
  std::array<char, 4096> buffer{};
  const ssize_t count = read(STDIN_FILENO, buffer.data(), buffer.size());
  if (count <= 0) {
    return false;
  }
  pending_.append(buffer.data(), static_cast<std::size_t>(count));
  for (std::size_t end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
    answer(pending_.substr(0, end));
    pending_.erase(0, end + 1);
  }
  return true;
}

void Console::answer(const std::string& line) {
  std::istringstream words(line);
  std::string name;
  words >> name;
  std::vector<std::string> arguments;
  for (std::string word; words >> word;) {
    arguments.push_back(word);
  }
  const auto action = actions_.find(name);
  if (action == actions_.end()) {
    print(refused("no command " + name));
    return;
  }
  const std::string members = action->second(arguments);
  print(members.empty() ? "\"ok\":true" : members);
}

void Console::print(const std::string& members) { std::cout << '{' << members << '}' << std::endl; }

std::string Console::quote(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + '"';
}

std::string refused(const std::string& why) { return "\"error\":" + Console::quote(why); }

}  // namespace squid::native
