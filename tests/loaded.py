"""What a process of its own has loaded."""

import subprocess
import sys


def loaded_after(code: str, *modules: str) -> list[str]:
    """Return those of the modules that a new Python has loaded once it has run the code."""
    asked = f"{code}\nimport sys\nprint(*[name for name in {modules!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    return done.stdout.split()
