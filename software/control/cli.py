"""The command line: one of the faces of `control.core`, as thin as the others.

Owns arguments, exit codes and what is printed; knows no device driver and nothing of how a run works.

Exit codes: 0 completed · 2 refused before anything moved · 3 aborted by a fault, resumable · 4 completed with missing
frames · 130 interrupted by a person.
"""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from control.cli_home import home
from control.cli_machine import named_machine, with_time_scale
from control.cli_progress import RunProgress
from control.cli_stop import EXIT_INTERRUPTED, StopRequests, stop_requests
from control.cli_streams import patient_streams
from control.cli_window import show
from control.core.facts import Fact, RunStarted
from control.core.fault_injection import never_strike, with_faults
from control.core.journal import read_journal
from control.core.multi_point_controller import MultiPointController
from control.core.preflight import describe, preflight
from control.core.preflight_machine import free_bytes
from control.core.presets import Presets, edited_text
from control.core.rig import rig
from control.core.run import USER, Run
from control.core.run_record import MACHINE_FILE, RunSummary, read_summary
from control.core.safe_state import make_safe
from control.core.user_files import machine_file_of_user
from control.core.user_folder import SIMULATION
from control.core.words import counted, duration
from squid.errors import ConfigurationError, PreflightError, SquidError, StageMoveError
from squid.import_config import convert
from squid.machine_file import MachineConfig, read_machine_file
from squid.microscope import Microscope
from squid.models.plan import read_plan
from squid.utils.bounded import start_bounded
from squid.utils.worker_manager import WorkerManager

EXIT_COMPLETED = 0
EXIT_REFUSED = 2
EXIT_ABORTED = 3
EXIT_MISSING = 4

POLL_S = 0.05
"""How often the main thread looks at signals and draws the progress."""

LEAVE_S = 2.0
"""So long may devices and workers take to close; the process ends in any case."""


def main(arguments: Sequence[str]) -> int:
    """Carry out one command line and return the exit code."""
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger().addHandler(logging.NullHandler())  # a run logs to its folder, not to the terminal
    with patient_streams():
        args = _parser().parse_args(arguments)
        try:
            return int(args.command(args))
        except StageMoveError as error:  # of homing; that of a run ends the run
            _complain(error)
            return EXIT_ABORTED
        except SquidError as error:
            _complain(error)
            return EXIT_REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hcs",
        description="Runs high-content screening plates on a microscope. Without a command it shows the window.",
    )
    _add_machine(parser)
    parser.set_defaults(command=_window)
    commands = parser.add_subparsers(metavar="COMMAND")

    run = commands.add_parser("run", help="run a plan", description="Run a plan and store every image.")
    run.add_argument("plan", type=Path, metavar="PLAN", help="plan file, or a useq-schema sequence (YAML, JSON)")
    _add_machine(run)
    run.add_argument("--output", type=Path, metavar="DIR", required=True, help="the run folder is made in this folder")
    run.add_argument("--time-scale", type=float, metavar="X", help="let simulated hardware run X times as fast")
    _add_run_options(run)
    run.set_defaults(command=_run)

    resume = commands.add_parser("resume", help="go on with an interrupted run at its first missing frame")
    resume.add_argument("run_folder", type=Path, metavar="RUN_FOLDER")
    _add_run_options(resume)
    resume.set_defaults(command=_resume)

    check = commands.add_parser("check", help="say what a plan would take, or why it is refused; nothing moves")
    check.add_argument("plan", type=Path, metavar="PLAN")
    _add_machine(check)
    check.add_argument("--output", type=Path, metavar="DIR", help="check that there is space for it")
    check.set_defaults(command=_check)

    devices = commands.add_parser("devices", help="open every device and say what it knows of itself")
    _add_machine(devices)
    devices.set_defaults(command=_devices)

    config = commands.add_parser(
        "import-config",
        help="turn an existing Squid program's configuration_*.ini into a machine file",
        description="Print a machine file made from an existing Squid program's configuration; what was not "
        "understood is listed on stderr.",
    )
    config.add_argument("ini", type=Path, metavar="FILE")
    config.set_defaults(command=_import_config)
    return parser


def _add_machine(parser: argparse.ArgumentParser) -> None:
    # SUPPRESS: the value given before the command is not overwritten by the command's own default
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--simulation", action="store_true", default=argparse.SUPPRESS, help="use the simulated microscope"
    )
    which.add_argument("--machine", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="use this machine file")


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--home",
        action="store_true",
        help="home the stage first, whether it knows where it is or not: every axis moves to its end, so look first "
        "that nothing is in the way",
    )
    parser.add_argument(
        "--inject",
        action="append",
        default=[],
        metavar="FAULT",
        help="let a simulated device fail, for example camera.hang@frame=100; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print the run's record as the last line, as JSON")


def _window(args: argparse.Namespace) -> int:
    return show(named_machine(args))


def _run(args: argparse.Namespace) -> int:
    file = named_machine(args)
    if file is None:
        raise ConfigurationError("no microscope was named", allowed="--simulation, or --machine FILE")
    machine = _presets(file).machine()
    if args.time_scale is not None:
        machine = with_time_scale(machine, args.time_scale)
    plan = read_plan(args.plan)
    return _carry_out(machine, file, args, lambda controller: controller.start(plan, args.output, args.plan))


def _resume(args: argparse.Namespace) -> int:
    read_summary(args.run_folder)  # a folder that is no run's is told so, not that it lacks one of a run's files
    file = args.run_folder / MACHINE_FILE
    machine = read_machine_file(file)
    return _carry_out(machine, file, args, lambda controller: controller.resume(args.run_folder))


def _check(args: argparse.Namespace) -> int:
    file = named_machine(args) or SIMULATION
    presets = _presets(file)
    machine, edited = presets.machine(), edited_text(presets.edited())
    if edited:  # first, and on a refusal, too: it may be the reason
        print(f"presets edited by the user: {edited} ({presets.file})")
    plan = read_plan(args.plan)
    with rig(machine), Microscope.build(machine, file) as microscope:
        checked = preflight(plan, microscope, args.output, file=args.plan)
    print(f"machine: {machine.name}")
    print(describe(checked))
    if args.output is None:
        free_gb = free_bytes(Path.cwd()) / 1e9
        print(f"disk: not checked, no --output was given ({free_gb:.2f} GB are free in the current folder)")
    return EXIT_COMPLETED


def _presets(file: Path) -> Presets:
    """Return a machine file's presets with the user's own over them, as the window has them."""
    machine = read_machine_file(file)
    return Presets(machine, machine_file_of_user(machine.name))


def _devices(args: argparse.Namespace) -> int:
    file = named_machine(args) or SIMULATION
    machine = _presets(file).machine()
    with rig(machine), Microscope.build(machine, file) as microscope:
        print(f"machine: {machine.name}")
        for label, device in microscope.devices.items():
            config = machine.devices[label]
            print(f"{label}: {config.driver}, role {config.role or 'none'}")
            for key, value in device.state().items():
                print(f"  {key}: {value}")
    return EXIT_COMPLETED


def _import_config(args: argparse.Namespace) -> int:
    text, not_understood = convert(args.ini)
    print(text, end="")
    for key in not_understood:
        print(f"not understood: {key}", file=sys.stderr)
    return EXIT_COMPLETED


def _carry_out(
    machine: MachineConfig, file: Path, args: argparse.Namespace, begin: Callable[[MultiPointController], Run]
) -> int:
    """Open the microscope, begin a run, follow it to its end; leave within bounds whatever hangs."""
    microscope = Microscope.build(with_faults(machine, args.inject), file)
    manager = WorkerManager()
    progress = RunProgress(sys.stderr)
    with rig(machine), stop_requests() as stop:
        stop.make_safe = lambda: make_safe(microscope, 0.5)
        run: Run | None = None
        try:
            microscope.open()
            listeners = (progress.hear, partial(_warn_of_faults, machine, args.inject))
            controller = MultiPointController(microscope, manager, listeners, machine)
            if args.home and stop.requested is None:
                home(microscope, manager, stop)
            if stop.requested is not None:
                print(f"interrupted ({stop.requested}) before the run began", file=sys.stderr)
                return EXIT_INTERRUPTED
            run = begin(controller)
            print(f"run folder: {run.folder}", flush=True)
            summary = _follow(run, progress, stop)
        finally:
            if run is not None and run.wait(0) is None:
                run.abort("the command line failed")
                run.wait(LEAVE_S)
            manager.shutdown(wait=True, timeout=LEAVE_S)
            start_bounded("closing", microscope.close)(LEAVE_S)
    _report(run.folder, summary, as_json=args.json)
    return _exit_code(summary)


def _warn_of_faults(machine: MachineConfig, faults: Sequence[str], fact: Fact) -> None:
    """Say which faults cannot happen, before anything moves; the first fact comes in the main thread."""
    if faults and isinstance(fact, RunStarted):
        stored = read_journal(fact.folder).stored
        for sentence in never_strike(machine, faults, fact.layout.frames_planned, stored):
            print(f"warning: {sentence}", file=sys.stderr, flush=True)


def _follow(run: Run, progress: RunProgress, stop: StopRequests) -> RunSummary:
    told = False
    while (summary := run.wait(POLL_S)) is None:
        if stop.requested is not None and not told:
            told = True
            print(f"{stop.requested}: ends the run; once more leaves at once", file=sys.stderr, flush=True)
            run.abort(f"{USER} ({stop.requested})")
        progress.draw()
    progress.close()
    return summary


def _report(folder: Path, summary: RunSummary, *, as_json: bool) -> None:
    stored = f"{summary.frames_stored} of {counted(summary.frames_planned, 'frame')} stored"
    lost = f" ({summary.frames_lost} had been lost on disk before a resume)" if summary.frames_lost else ""
    took = f"in {duration(summary.wall_s)}, duty {summary.duty:.2f}"
    print(f"{summary.status.replace('_', ' ')}: {stored}{lost} {took}")
    for output in summary.outputs:
        print(f"open: {folder / output}")
    if summary.status != "completed":
        print(f"{summary.status.replace('_', ' ')}: {summary.reason}", file=sys.stderr)
    if summary.status == "aborted":
        print(f"go on with: hcs resume {shlex.quote(str(folder))}", file=sys.stderr)
    if as_json:
        print(json.dumps({**summary.model_dump(mode="json"), "run_folder": str(folder)}))


def _exit_code(summary: RunSummary) -> int:
    if summary.status == "aborted":
        by_person = summary.reason == USER or summary.reason.startswith(f"{USER} ")
        return EXIT_INTERRUPTED if by_person else EXIT_ABORTED
    return EXIT_MISSING if summary.status == "completed_with_missing" else EXIT_COMPLETED


def _complain(error: SquidError) -> None:
    for refusal in error.refusals if isinstance(error, PreflightError) else [error]:
        print(f"hcs: {refusal}", file=sys.stderr)
