"""Moves the fragments of this folder into CHANGELOG.md, below a heading for one release."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEADINGS = {
    "break": "What you must change",
    "feature": "New",
    "fix": "Mended",
    "doc": "Explained",
}


def collect(root: Path, version: str, day: datetime.date) -> int:
    """Write the section of a release, drop its fragments, and give how many there were."""
    fragments = {kind: sorted((root / "changes").glob(f"*.{kind}.md")) for kind in HEADINGS}
    section = [f"## {version} ({day.isoformat()})"]
    for kind, heading in HEADINGS.items():
        if fragments[kind]:
            items = [" ".join(path.read_text().split()) for path in fragments[kind]]
            section.append(f"### {heading}\n\n" + "\n".join(f"- {item}" for item in items))

    changelog = root / "CHANGELOG.md"
    head, separator, releases = changelog.read_text().partition("\n## ")
    changelog.write_text("\n\n".join([head.rstrip(), *section]) + "\n" + separator + releases)
    taken = [path for paths in fragments.values() for path in paths]
    for path in taken:
        path.unlink()
    return len(taken)


if __name__ == "__main__":
    version = json.loads((ROOT / "extension/package.json").read_text())["version"]
    today = datetime.datetime.now(tz=datetime.UTC).date()
    print(f"{collect(ROOT, version, today)} fragments moved to CHANGELOG.md")
