// A test harness in one header: TEST("what must hold") { CHECK(…); CHECK_EQUAL(actual, wanted); }
//
// The program lists its tests with --list and runs those named as arguments; its exit status is the number that failed.
#pragma once

#include <iostream>
#include <string>
#include <vector>

namespace check {

struct Test {
  std::string name;
  void (*body)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

inline int& failures() {
  static int count = 0;
  return count;
}

struct Register {
  Register(const char* name, void (*body)()) { tests().push_back({name, body}); }
};

template <typename T>
auto printable(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return static_cast<int>(value);
  } else if constexpr (sizeof(T) == 1) {
    return static_cast<int>(value);
  } else {
    return value;
  }
}

inline void fail(const char* file, int line, const std::string& what) {
  std::cerr << file << ':' << line << ": " << what << '\n';
  ++failures();
}

}  // namespace check

#define CHECK_JOIN2(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN2(a, b)
#define TEST(name)                                                                              \
  static void CHECK_JOIN(test_, __LINE__)();                                                    \
  static const check::Register CHECK_JOIN(register_, __LINE__)(name, CHECK_JOIN(test_, __LINE__)); \
  static void CHECK_JOIN(test_, __LINE__)()

#define CHECK(condition)                                  \
  do {                                                    \
    if (!(condition)) {                                   \
      check::fail(__FILE__, __LINE__, "not " #condition); \
    }                                                     \
  } while (false)

#define CHECK_EQUAL(actual, wanted)                                                                      \
  do {                                                                                                   \
    const auto check_actual = (actual);                                                                  \
    const decltype(check_actual) check_wanted = (wanted);                                                \
    if (!(check_actual == check_wanted)) {                                                               \
      std::cerr << #actual " is " << check::printable(check_actual) << ", not " << check::printable(check_wanted) \
                << '\n';                                                                                 \
      check::fail(__FILE__, __LINE__, #actual " == " #wanted);                                           \
    }                                                                                                    \
  } while (false)
