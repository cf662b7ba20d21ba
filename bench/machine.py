"""The machine that the figures are of."""

import os
import platform
from pathlib import Path

CPUS = Path("/proc/cpuinfo")
MEMORY = Path("/proc/meminfo")


def machine() -> dict[str, object]:
    return {
        "cpu": _field(CPUS, "model name") or platform.processor(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(
            int((_field(MEMORY, "MemTotal") or "0").split()[0]) / 2**20
        ),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def _field(path: Path, name: str) -> str:
    if not path.exists():
        return ""
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
