// Hardware sequences (2.0): upload, check, run, abort.
#include "check.h"
#include "rig.h"

using namespace squid;

namespace {

constexpr std::int32_t kExposureUs = 10'000;
constexpr std::int32_t kReadoutUs = 15'000;

// Two channels at three heights.
void upload(Rig& rig) {
  rig.send(Code::SequenceClear);
  rig.set_step(StepField::Targets, static_cast<int>(StepTarget::Z));
  rig.set_step(StepField::ExposureUs, kExposureUs);
  rig.set_step(StepField::ReadoutUs, kReadoutUs);
  rig.set_step(StepField::SettleUs, 5'000);
  rig.set_step(StepField::Intensity, 0xFFFF);
  int index = 0;
  for (const std::int32_t z : {-1000, -2000, -3000}) {
    rig.set_step(StepField::Z, z);
    for (const LightSource source : {LightSource::D1, LightSource::D2}) {
      rig.set_step(StepField::Source, static_cast<int>(source));
      CHECK_EQUAL(rig.send(Code::SequenceAdd, {0, index++}), ExecutionStatus::Completed);
    }
  }
}

ExecutionStatus run(Rig& rig, int first = 0, int count = 6, int channel = 0) {
  return rig.send(Code::SequenceRun, {0, first, 0, count, channel});
}

std::uint32_t steps_done(const Rig& rig) { return rig.page(Page::Sequence) >> 16; }
SequenceState state(const Rig& rig) { return static_cast<SequenceState>(rig.page(Page::Sequence) >> 8 & 0xFF); }

struct Shot {
  std::uint64_t at_us;
  std::int32_t z;
  bool d1;
  bool d2;
};

// Runs to the end and returns where Z was and which light was on 1 ms after each trigger.
std::vector<Shot> watch(Rig& rig) {
  std::vector<Shot> shots;
  bool was_high = true;
  std::uint64_t look_us = 0;
  for (int i = 0; i < 100'000 && rig.status() == ExecutionStatus::InProgress; ++i) {
    const bool high = rig.board.output(Output::Trigger0);
    if (was_high && !high) {
      look_us = rig.board.time_us + 500;
      shots.push_back({rig.board.time_us, 0, false, false});
    }
    was_high = high;
    if (look_us != 0 && rig.board.time_us >= look_us) {
      look_us = 0;
      shots.back().z = rig.board.motors[2].position();
      shots.back().d1 = rig.board.output(Output::D1);
      shots.back().d2 = rig.board.output(Output::D2);
    }
    rig.board.time_us += 100;
    rig.turn();
  }
  return shots;
}

}  // namespace

TEST("a sequence triggers each step in its place, in its light, in order") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  upload(rig);
  CHECK_EQUAL(run(rig), ExecutionStatus::InProgress);
  CHECK(rig.has_flag(Flag::SequenceRunning));
  const std::vector<Shot> shots = watch(rig);
  CHECK_EQUAL(rig.status(), ExecutionStatus::Completed);
  CHECK_EQUAL(shots.size(), 6U);
  for (std::size_t i = 0; i < shots.size(); ++i) {
    CHECK_EQUAL(shots[i].z, -1000 - 1000 * static_cast<std::int32_t>(i / 2));
    CHECK_EQUAL(shots[i].d1, i % 2 == 0);
    CHECK_EQUAL(shots[i].d2, i % 2 == 1);
  }
  CHECK_EQUAL(steps_done(rig), 6U);
  CHECK_EQUAL(state(rig), SequenceState::Done);
  CHECK(!rig.board.output(Output::D1) && !rig.board.output(Output::D2));
}

TEST("the next trigger waits for the camera's read-out, and not much longer") {
  Rig rig;
  upload(rig);
  run(rig);
  const std::vector<Shot> shots = watch(rig);
  for (std::size_t i = 1; i < shots.size(); i += 2) {  // no move between these two
    const std::uint64_t apart_us = shots[i].at_us - shots[i - 1].at_us;
    CHECK(apart_us >= kExposureUs + kReadoutUs);
    CHECK(apart_us <= kExposureUs + kReadoutUs + 300);
  }
}

TEST("read-out overlaps the move to the next step") {
  Rig rig;
  rig.send(Code::SequenceClear);
  rig.set_step(StepField::Targets, static_cast<int>(StepTarget::Z));
  rig.set_step(StepField::ExposureUs, 1'000);
  rig.set_step(StepField::ReadoutUs, 400'000);
  rig.send(Code::SequenceAdd, {0, 0});
  rig.set_step(StepField::Z, -17067);  // 0.1 mm: some 140 ms at 20 mm/s2
  rig.send(Code::SequenceAdd, {0, 1});
  run(rig, 0, 2);
  const std::vector<Shot> shots = watch(rig);
  CHECK_EQUAL(shots.size(), 2U);
  CHECK(shots[1].at_us - shots[0].at_us < 402'000);
}

TEST("trigger times can be read for each step") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  upload(rig);
  const std::uint64_t start_us = rig.board.time_us;
  run(rig);
  const std::vector<Shot> shots = watch(rig);
  for (int i = 0; i < 6; ++i) {
    CHECK_EQUAL(rig.send(Code::SequenceRead, {0, i}), ExecutionStatus::Completed);
    rig.run_ms(100);
    const std::uint64_t told_us = rig.page(Page::StepTime);
    const std::uint64_t seen_us = shots[static_cast<std::size_t>(i)].at_us - start_us;
    CHECK(told_us <= seen_us && seen_us - told_us < 400);
  }
  CHECK_EQUAL(rig.send(Code::SequenceRead, {0, 6}), ExecutionStatus::ExecutionError);
}

TEST("the same steps run at another focus") {
  Rig rig;
  upload(rig);
  rig.set_step(StepField::ZOrigin, -7000);
  run(rig);
  const std::vector<Shot> shots = watch(rig);
  CHECK_EQUAL(shots.front().z, -8000);
  CHECK_EQUAL(shots.back().z, -10000);
}

TEST("the piezo is a target of its own") {
  Rig rig;
  rig.set_step(StepField::Targets, static_cast<int>(StepTarget::Piezo));
  rig.set_step(StepField::PiezoOrigin, 30'000);
  rig.set_step(StepField::Piezo, -1000);
  rig.set_step(StepField::ExposureUs, 1000);
  rig.set_step(StepField::SettleUs, 20'000);
  rig.send(Code::SequenceAdd, {0, 0});
  const std::uint64_t start_us = rig.board.time_us;
  run(rig, 0, 1);
  CHECK_EQUAL(rig.board.dac[7], 29'000);
  const std::vector<Shot> shots = watch(rig);
  CHECK(shots.front().at_us - start_us >= 20'000);
  rig.set_step(StepField::PiezoOrigin, 500);
  CHECK_EQUAL(run(rig, 0, 1), ExecutionStatus::ExecutionError);
}

TEST("what cannot be done is refused before anything moves") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  upload(rig);
  CHECK_EQUAL(run(rig, 0, 0), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(run(rig, 0, 7), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(run(rig, 6, 1), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(run(rig, 0, 6, 4), ExecutionStatus::ExecutionError);
  rig.set_limit(LimitCode::ZNegative, -2500);
  CHECK_EQUAL(run(rig), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.reason(), Reason::OutsideLimits);
  CHECK_EQUAL(run(rig, 0, 4), ExecutionStatus::InProgress);
}

TEST("steps, fields and values that do not exist are refused") {
  Rig rig;
  CHECK_EQUAL(rig.send(Code::SequenceAdd, {0, 1}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::SequenceAdd, {2, 0}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.set_step(static_cast<StepField>(15), 1), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.set_step(StepField::Targets, 64), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.set_step(StepField::Source, 10), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.set_step(StepField::Intensity, 65536), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.set_step(StepField::ExposureUs, -1), ExecutionStatus::ExecutionError);
}

TEST("a step that is added again replaces itself, and the list has an end") {
  Rig rig;
  for (int i = 0; i < 512; ++i) {
    CHECK_EQUAL(rig.send(Code::SequenceAdd, {i >> 8, i & 255}), ExecutionStatus::Completed);
    CHECK_EQUAL(rig.send(Code::SequenceAdd, {i >> 8, i & 255}), ExecutionStatus::Completed);
  }
  CHECK_EQUAL(rig.send(Code::SequenceAdd, {2, 0}), ExecutionStatus::ExecutionError);
}

TEST("moves and light wait for a sequence, heartbeats and questions do not") {
  Rig rig;
  upload(rig);
  run(rig);
  CHECK_EQUAL(rig.send32(Code::MovetoX, 100), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::TurnOnPort, {3}), ExecutionStatus::ExecutionError);
  CHECK_EQUAL(rig.send(Code::SequenceRead, {0, 0}), ExecutionStatus::InProgress);
  CHECK_EQUAL(rig.send(Code::Heartbeat), ExecutionStatus::InProgress);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
}

TEST("dark and stop commands end a sequence") {
  for (const Code code : {Code::SequenceAbort, Code::LightsOut, Code::TurnOffAllPorts, Code::StopMotion, Code::Reset}) {
    Rig rig;
    rig.send(Code::SetReport, {0, kAllPages});
    upload(rig);
    run(rig);
    rig.run_ms(200);
    const std::uint32_t done = steps_done(rig);
    rig.send(code);
    rig.run_to_end();
    CHECK(!rig.board.output(Output::D1) && !rig.board.output(Output::D2));
    CHECK(rig.board.output(Output::Trigger0));
    rig.run_ms(500);
    CHECK_EQUAL(state(rig), SequenceState::Aborted);
    CHECK_EQUAL(steps_done(rig), done);
    CHECK_EQUAL(rig.status(), ExecutionStatus::Completed);
  }
}

TEST("a sequence whose lease expires, interlock opens or motor stalls is aborted with that reason") {
  for (const Reason reason : {Reason::LeaseExpired, Reason::InterlockOpen, Reason::StoppedShort}) {
    Rig rig;
    rig.send(Code::SetReport, {0, kAllPages});
    upload(rig);
    if (reason == Reason::LeaseExpired) {
      rig.send32(Code::SetWatchdogTimeout, 30);
    }
    run(rig);
    rig.board.is_safe = reason != Reason::InterlockOpen;
    rig.board.motors[2].set_stalled(reason == Reason::StoppedShort);
    CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::ExecutionError);
    CHECK_EQUAL(rig.reason(), reason);
    CHECK_EQUAL(state(rig), SequenceState::Aborted);
    CHECK(!rig.board.output(Output::D1) && !rig.board.output(Output::D2));
  }
}

TEST("a sequence without light triggers and keeps the stage still for the exposure") {
  Rig rig;
  rig.set_step(StepField::Source, static_cast<int>(LightSource::None));
  rig.set_step(StepField::ExposureUs, 50'000);
  rig.send(Code::SequenceAdd, {0, 0});
  run(rig, 0, 1);
  rig.run_ms(45);
  CHECK_EQUAL(rig.status(), ExecutionStatus::InProgress);
  rig.run_ms(10);
  CHECK_EQUAL(rig.status(), ExecutionStatus::Completed);
}

TEST("a run that is sent again does not run again") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  rig.set_step(StepField::ExposureUs, 1000);
  rig.send(Code::SequenceAdd, {0, 0});
  const Packet p = Rig::packet(200, Code::SequenceRun, {0, 0, 0, 1, 0});
  rig.put(p);
  rig.run_ms(20);
  CHECK_EQUAL(rig.status(), ExecutionStatus::Completed);
  rig.put(p);
  rig.run_ms(20);
  CHECK(!rig.has_flag(Flag::SequenceRunning));
  CHECK_EQUAL(rig.status(), ExecutionStatus::Completed);
}

TEST("an old fault of an axis that need not move does not end a sequence") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  rig.send32(Code::MovetoZ, -100000);
  rig.run_ms(200);
  rig.send(Code::StopMotion);
  rig.run_to_end();
  CHECK((rig.page(Page::Axes) >> 16 & 0xFF) != 0);
  rig.set_step(StepField::Targets, static_cast<int>(StepTarget::Z));
  rig.set_step(StepField::Z, rig.z());
  rig.set_step(StepField::ExposureUs, 1000);
  rig.send(Code::SequenceAdd, {0, 0});
  run(rig, 0, 1);
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK_EQUAL(steps_done(rig), 1U);
}

TEST("an aborted sequence raises its trigger at once, and a strobe to come does not come") {
  Rig rig;
  rig.send(Code::SetTriggerMode, {1});
  rig.send(Code::SetStrobeDelay, {0, 0, 0, 0x4E, 0x20});  // 20 ms
  upload(rig);
  run(rig);
  for (int i = 0; i < 10'000 && rig.board.output(Output::Trigger0); ++i) {
    rig.run_us(100);
  }
  rig.run_ms(5);
  CHECK(!rig.board.output(Output::Trigger0));
  rig.send(Code::SequenceAbort);
  CHECK(rig.board.output(Output::Trigger0));
  for (int i = 0; i < 300; ++i) {
    rig.run_us(100);
    CHECK(!rig.board.output(Output::D1));
  }
}

TEST("each trigger is shown at once, with the stage where it stands for the exposure") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  upload(rig);
  run(rig);
  std::uint32_t shown = 0;
  bool was_high = true;
  for (int i = 0; i < 100'000 && rig.has_flag(Flag::SequenceRunning); ++i) {
    const bool high = rig.board.output(Output::Trigger0);
    if (was_high && !high) {
      CHECK_EQUAL(state(rig), SequenceState::Exposing);
      CHECK_EQUAL(steps_done(rig), shown);
      CHECK_EQUAL(rig.z(), -1000 - 1000 * static_cast<std::int32_t>(shown / 2));
      ++shown;
    }
    was_high = high;
    rig.board.time_us += 100;
    rig.turn();
  }
  CHECK_EQUAL(shown, 6U);
}

TEST("a sequence that is to finish keeps the exposure under way, and takes no other") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  upload(rig);
  run(rig);
  for (int i = 0; i < 10'000 && state(rig) != SequenceState::Exposing; ++i) {
    rig.run_us(100);
  }
  CHECK_EQUAL(rig.send(Code::SequenceFinish), ExecutionStatus::InProgress);
  CHECK(rig.board.output(Output::D1));
  CHECK_EQUAL(rig.run_to_end(), ExecutionStatus::Completed);
  CHECK_EQUAL(steps_done(rig), 1U);
  CHECK_EQUAL(state(rig), SequenceState::Done);
}

TEST("a sequence that is to finish between two exposures ends at once") {
  Rig rig;
  rig.send(Code::SetReport, {0, kAllPages});
  upload(rig);
  run(rig);  // Z is on its way to the first step
  rig.send(Code::SequenceFinish);
  rig.run_to_end();
  rig.run_ms(100);
  CHECK_EQUAL(steps_done(rig), 0U);
  CHECK_EQUAL(state(rig), SequenceState::Done);
  CHECK_EQUAL(rig.status(), ExecutionStatus::Completed);
  rig.send(Code::SequenceFinish);  // harmless when none is under way
  CHECK_EQUAL(rig.status(), ExecutionStatus::Completed);
}
