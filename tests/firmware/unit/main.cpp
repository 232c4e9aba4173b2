#include <algorithm>

#include "check.h"

int main(int count, char** arguments) {
  const std::vector<std::string> wanted(arguments + 1, arguments + count);
  for (const check::Test& test : check::tests()) {
    if (wanted == std::vector<std::string>{"--list"}) {
      std::cout << test.name << '\n';
    } else if (wanted.empty() || std::find(wanted.begin(), wanted.end(), test.name) != wanted.end()) {
      const int before = check::failures();
      test.body();
      std::cout << (check::failures() == before ? "passed " : "failed ") << test.name << '\n';
    }
  }
  return check::failures();
}
