// Start of a Cortex-M7 program without an operating system: vectors, memory, floating point, constructors.
#include <cstdint>

extern "C" {
// Set by the linker script.
extern std::uint32_t image_stack_end[];
extern std::uint32_t image_data_source[];
extern std::uint32_t image_data_start[];
extern std::uint32_t image_data_end[];
extern std::uint32_t image_bss_start[];
extern std::uint32_t image_bss_end[];
extern void (*image_constructors_start[])();
extern void (*image_constructors_end[])();

void run_firmware();
void uart_received();
void tick() {}  // only wakes the loop
void* __dso_handle = nullptr;

[[noreturn]] void hang() {
  for (;;) {
  }
}

[[noreturn]] void reset() {
  auto* const cpacr = reinterpret_cast<volatile std::uint32_t*>(0xE000ED88);
  *cpacr = *cpacr | (0xFU << 20);  // floating point on, before the compiler uses it
  asm volatile("dsb\n isb" ::: "memory");
  const std::uint32_t* source = image_data_source;
  for (std::uint32_t* word = image_data_start; word != image_data_end; ++word) {
    *word = *source++;
  }
  for (std::uint32_t* word = image_bss_start; word != image_bss_end; ++word) {
    *word = 0;
  }
  for (auto* constructor = image_constructors_start; constructor != image_constructors_end; ++constructor) {
    (*constructor)();
  }
  run_firmware();
  hang();
}
}

using Vector = void (*)();

struct Vectors {
  std::uint32_t* stack;
  Vector exceptions[15];
  Vector interrupts[1];  // 0: UART 0 has received
};

extern const Vectors vectors;
__attribute__((section(".vectors"), used)) const Vectors vectors{
    image_stack_end,
    {reset, hang, hang, hang, hang, hang, nullptr, nullptr, nullptr, nullptr, hang, hang, nullptr, hang, tick},
    {uart_received}};
