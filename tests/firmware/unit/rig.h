// The whole firmware on a board of memory, with a clock that only the test moves.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "core/controller.h"
#include "core/crc8.h"
#include "native/sim_motor.h"

namespace squid {

class MemoryBoard final : public Board {
 public:
  MemoryBoard()
      : motors{native::SimMotor{{40, 0, 125, false}, 1}, native::SimMotor{{30, 0, 85, false}, 1},
               native::SimMotor{{-3, -7.5, 0, false}, 1}, native::SimMotor{{0.3, 0, 0, true}, 1},
               native::SimMotor{{0.3, 0, 0, true}, 1}} {}

  std::uint64_t now_us() override { return time_us; }
  Motor& motor(AxisId axis) override { return motors[static_cast<std::size_t>(axis)]; }
  void set_output(Output output, bool high) override { outputs[static_cast<std::size_t>(output)] = high; }
  void write_dac(std::uint8_t channel, std::uint16_t value) override { dac[channel] = value; }
  void set_dac_gain(std::uint8_t, std::uint8_t gains) override { dac_gains = gains; }
  void write_leds(const LedImage& image) override { leds = image; }
  bool interlock_is_safe() override { return is_safe; }
  bool send(const FrameBytes& frame) override {
    if (is_full) {
      return false;
    }
    frames.push_back(frame);
    return true;
  }
  std::uint8_t reset_count() override { return 7; }
  void lock() override { ++locks; }
  void unlock() override { --locks; }

  bool output(Output o) const { return outputs[static_cast<std::size_t>(o)]; }

  std::uint64_t time_us = 1'000'000;
  std::array<native::SimMotor, kAxes> motors;
  std::array<bool, kOutputs> outputs{};
  std::array<std::uint16_t, kDacChannels> dac{};
  std::uint8_t dac_gains = 0;
  LedImage leds{};
  bool is_safe = true;
  bool is_full = false;
  int locks = 0;
  std::vector<FrameBytes> frames;
};

class Rig {
 public:
  Rig() : controller(board) {
    tell_time();
    controller.begin();
  }

  static Packet packet(std::uint8_t id, Code code, std::initializer_list<int> parameters) {
    Packet p;
    p.bytes[0] = id;
    p.bytes[1] = static_cast<std::uint8_t>(code);
    std::size_t at = 2;
    for (const int value : parameters) {
      p.bytes[at++] = static_cast<std::uint8_t>(value);
    }
    p.bytes[7] = crc8(p.bytes.data(), 7);
    return p;
  }

  static Packet packet32(std::uint8_t id, Code code, std::int32_t value) {
    const auto v = static_cast<std::uint32_t>(value);
    return packet(id, code,
                  {static_cast<int>(v >> 24), static_cast<int>(v >> 16 & 255), static_cast<int>(v >> 8 & 255),
                   static_cast<int>(v & 255)});
  }

  void put(const Packet& p) { controller.receive(p.bytes.data(), p.bytes.size()); }

  // Sends a command with a new id and returns its status at once.
  ExecutionStatus send(Code code, std::initializer_list<int> parameters = {}) {
    return finish(packet(++id, code, parameters));
  }
  ExecutionStatus send32(Code code, std::int32_t value) { return finish(packet32(++id, code, value)); }
  ExecutionStatus set_limit(LimitCode limit, std::int32_t position) {
    const auto v = static_cast<std::uint32_t>(position);
    return send(Code::SetLim, {static_cast<int>(limit), static_cast<int>(v >> 24), static_cast<int>(v >> 16 & 255),
                               static_cast<int>(v >> 8 & 255), static_cast<int>(v & 255)});
  }
  ExecutionStatus set_step(StepField field, std::int32_t value) {
    const auto v = static_cast<std::uint32_t>(value);
    return send(Code::SequenceSet, {static_cast<int>(field), static_cast<int>(v >> 24), static_cast<int>(v >> 16 & 255),
                                    static_cast<int>(v >> 8 & 255), static_cast<int>(v & 255)});
  }

  // Lets time pass, in turns of 100 us.
  void run_us(std::uint64_t us) {
    for (const std::uint64_t end = board.time_us + us; board.time_us < end; board.time_us += 100) {
      turn();
    }
    turn();
  }
  void run_ms(std::uint64_t ms) { run_us(ms * 1000); }

  // Lets time pass until the firmware reports something else than IN_PROGRESS, at most a minute.
  ExecutionStatus run_to_end() {
    for (int i = 0; i < 600'000 && status() == ExecutionStatus::InProgress; ++i) {
      board.time_us += 100;
      turn();
    }
    return status();
  }

  void turn() {
    tell_time();
    controller.service_exposures(board.time_us);
    controller.tick();
  }

  const FrameBytes& frame() const { return board.frames.back(); }
  ExecutionStatus status() const { return static_cast<ExecutionStatus>(frame()[1]); }
  std::int32_t field(std::size_t at) const {
    const FrameBytes& f = frame();
    return static_cast<std::int32_t>((std::uint32_t{f[at]} << 24) | (std::uint32_t{f[at + 1]} << 16) |
                                     (std::uint32_t{f[at + 2]} << 8) | f[at + 3]);
  }
  std::int32_t x() const { return field(status_at::kXUsteps); }
  std::int32_t y() const { return field(status_at::kYUsteps); }
  std::int32_t z() const { return field(status_at::kZUsteps); }
  bool has_flag(Flag flag) const { return (frame()[status_at::kFlags] & static_cast<unsigned>(flag)) != 0; }

  // The newest content of a page, which must have been asked for.
  std::uint32_t page(Page page) const {
    for (auto f = board.frames.rbegin(); f != board.frames.rend(); ++f) {
      if ((*f)[status_at::kInputs] >> 4 == static_cast<int>(page)) {
        return (std::uint32_t{(*f)[14]} << 24) | (std::uint32_t{(*f)[15]} << 16) | (std::uint32_t{(*f)[16]} << 8) |
               (*f)[17];
      }
    }
    return 0xDEADBEEF;
  }
  Reason reason() const { return static_cast<Reason>(page(Page::Fault) >> 24); }

  MemoryBoard board;
  Controller controller;
  std::uint8_t id = 0;

 private:
  void tell_time() {
    for (native::SimMotor& motor : board.motors) {
      motor.set_time(board.time_us);
    }
  }

  ExecutionStatus finish(const Packet& p) {
    put(p);
    turn();
    return status();
  }
};

constexpr int kAllPages = 0xFE;

}  // namespace squid
