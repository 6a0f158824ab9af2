"""Memories: rules, one node, search, and nodes that exchange them through one file."""

from __future__ import annotations

import json
import random
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from helix_lab import open_lab
from helix_lab.domain.memory.record import Kind, Update
from helix_lab.domain.memory.replica import Replica
from helix_lab.domain.model.clock import make_hybrid_time
from helix_lab.record.memories import update_memory
from helix_lab.records.memory_states import dump_record
from helix_lab.settings import Settings

if TYPE_CHECKING:
    from bench.harness import Options, Report
    from helix_lab.lab import Lab
