"""CEL expressions from packs, compiled once: the way out where structured clauses do not suffice.

An expression is text that somebody else wrote, so it is bounded before it is run: its length, its
names, and one macro (`all`, `exists`, …) at the most, because nested ones multiply. Without nesting
its time is linear in the values it is given, which a form's schema bounds; its patterns run in
linear time.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Collection, Mapping
from importlib.machinery import PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import cel

from service.kernel.messages import say

LONGEST: Final = 500
_TEXT: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\])*"|'
    r"'''(?:\\.|[^\\])*?'''|'(?:\\.|[^'\\])*'",
    re.DOTALL,
)
# What would make the text be read otherwise than `_TEXT` reads it: a comment, a prefix (`r'\'`).
_HIDING: Final = re.compile(r"//|\w[\"']")
_MACRO: Final = re.compile(r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(")
_BOUND: Final = re.compile(
    r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*,"
)
_NAME: Final = re.compile(r"(?<![\w.])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?!\s*\()(?![\w.])")
_METHOD: Final = re.compile(r"(?<![\w.])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.[A-Za-z_]\w*\s*\(")
_WORDS: Final = frozenset({"true", "false", "null", "in"})


def _compiler() -> ModuleType:
    """The library's compiled part, without the package around it.

    The package also loads its command line, with terminal libraries that nothing here uses: a
    sixth of a second and 8 MB for each process that starts. The compiled part cannot be loaded
    twice in a process, so it stands in the place of the package from then on.
    """
    if "cel" not in sys.modules:
        package = importlib.util.find_spec("cel")
        places = None if package is None else package.submodule_search_locations
        spec = PathFinder.find_spec("cel.cel", places)
        if spec is None or spec.loader is None:
            raise ImportError("common-expression-language has no compiled part for this Python")
        compiled = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(compiled)
        sys.modules["cel"] = compiled
    return sys.modules["cel"]


_COMPILER: Final = _compiler()


class BadExpression(ValueError):
    """The expression cannot be used: a code of `messages.toml`, and what its words name."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(say(code, "en", params))
        self.code, self.params = code, params


class ExpressionFailed(Exception):
    """The expression came to nothing for these values, or to something that is no yes or no.

    `code` and `params` are as those of `BadExpression`.
    """

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(say(code, "en", params))
        self.code, self.params = code, params


class Expression:
    """A compiled expression over the names it may use; safe to share between threads.

    `names`: the dotted paths that exist (`lease.address`, `facts.recognition.class`, `today`).
    Raises `BadExpression`: it is too long, is no CEL, has a second macro, a comment or a
    text with a prefix, or uses another name.
    """

    def __init__(self, text: str, names: Collection[str]) -> None:
        if len(text) > LONGEST:
            raise BadExpression("problem_expression_too_long", longest=LONGEST)
        bare = _TEXT.sub('""', text)
        if _HIDING.search(bare):
            raise BadExpression("problem_expression_hides")
        if len(_MACRO.findall(bare)) > 1:
            raise BadExpression("problem_expression_macros")
        for name in sorted(_names(bare) - set(names)):
            raise BadExpression("problem_expression_names", name=name)
        try:
            self._program: cel.Program = _COMPILER.compile(text)
        except ValueError as error:
            raise BadExpression(
                "problem_expression_unread", problem=str(error).splitlines()[0]
            ) from None
        self.text = text

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether the expression is true of these values, nested by the parts of their names.

        Raises `ExpressionFailed` where it cannot be said.
        """
        try:
            answer = self._program.execute(dict(values))
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise ExpressionFailed("problem_expression_error", error=type(error).__name__) from None
        if not isinstance(answer, bool):
            raise ExpressionFailed("problem_expression_other", type=type(answer).__name__)
        return answer


def _names(bare: str) -> set[str]:
    """The dotted names in an expression without its texts; names that a macro binds are its own."""
    bound = set(_BOUND.findall(bare))
    found = {*_NAME.findall(bare), *_METHOD.findall(bare)}
    return {name for name in found - _WORDS if name.partition(".")[0] not in bound}
