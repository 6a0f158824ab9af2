"""Replicas that were cut off, restarted, removed and misled end up alike, and lose nothing."""

from __future__ import annotations

import pytest

from helix_lab.testing.memory.nodes import Fault
from helix_lab.testing.memory.simulator import Divergence, Simulation

SCHEDULES = 2000
SEARCHED = 4000


@pytest.mark.parametrize("part", range(4))
def test_every_schedule_ends_with_what_the_oracle_says(part: int) -> None:
    for number in range(SCHEDULES // 4):
        Simulation(part * SCHEDULES + number).run()


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.NONE])
def test_the_simulator_notices(fault: Fault) -> None:
    assert any(diverges(seed, fault) for seed in range(SEARCHED))


def diverges(seed: int, fault: Fault) -> bool:
    try:
        Simulation(seed, fault).run()
    except Divergence:
        return True
    return False
