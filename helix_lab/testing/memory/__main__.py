"""Run schedules of the simulator: `python -m helix_lab.testing.memory --schedules 100000`."""

from __future__ import annotations

import argparse
import sys

from helix_lab.testing.memory.nodes import Fault
from helix_lab.testing.memory.simulator import Divergence, Simulation


def main() -> int:
    """Prints each divergence with its seed; the exit code is 1 if there was one."""
    parser = argparse.ArgumentParser(prog="python -m helix_lab.testing.memory")
    parser.add_argument("--schedules", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0, help="of the first schedule")
    parser.add_argument("--fault", choices=[f.name for f in Fault], default=Fault.NONE.name)
    options = parser.parse_args()
    failures = 0
    for seed in range(options.seed, options.seed + options.schedules):
        try:
            Simulation(seed, Fault[options.fault]).run()
        except Divergence as error:
            failures += 1
            sys.stdout.write(f"{error}\n")
    sys.stdout.write(f"{options.schedules} schedules, {failures} divergences\n")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
