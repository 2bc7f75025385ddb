"""No garbage is collected while a program loads, nor looked for later in what has been loaded.

Loading makes some 190,000 objects that live as long as the process, and hardly any garbage: looking
for it again and again while they become more takes a fifth of the time of a start. Afterwards each
full collection would go through all of them; frozen they are passed over, and stay in the memory
that forked processes share.
"""

from __future__ import annotations

import gc


def begin() -> None:
    """Before the first large import of a program."""
    gc.disable()


def end() -> None:
    """Once all is loaded, before the program forks or begins to work; may be called again."""
    gc.freeze()
    gc.enable()
