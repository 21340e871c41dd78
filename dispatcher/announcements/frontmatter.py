"""YAML as people write it above a text: every value a string, every key with its line, nothing that can blow up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from dispatcher.announcements.faults import Fault, Place

LIMIT = 200_000  # characters
_REMEDIES = {
    "mapping values are not allowed": "Put a text that holds a colon between quotes.",
    "cannot start any token": "Indent with spaces, and put a text that begins with a sign between quotes.",
    "could not find expected ':'": "Write each line as `key: value`; put long texts between quotes.",
    "unexpected end of stream": "Close the quotes that were opened.",
    "expected ',' or": "Close the bracket that was opened, and put commas between what is in it.",
    "alias": "Write it out: references (* and &) are not used here.",
}


@dataclass
class FrontMatter:
    """Its values, the line of each, and what is wrong with it."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Place, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


class _Loader(yaml.BaseLoader):
    """Strings only: no dates, no booleans, no Norway. And no aliases, with which few lines become gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "an alias", self.get_mark())
        return super().compose_node(parent, index)


def read(text: str, first_line: int) -> FrontMatter:
    """What stands in ``text``, whose first line is ``first_line`` of its file."""
    result = FrontMatter()
    if len(text) > LIMIT:
        what = f"The part between the lines `---` is longer than {LIMIT:,} characters."
        result.faults.append(Fault(first_line, "front matter", what, "Put long texts in the body."))
        return result
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        # Of what was opened and never closed, the line where it was opened is the one to mend.
        opened = any(word in (error.context or "") for word in ("quoted scalar", "flow"))
        mark = error.context_mark if opened and error.context_mark else error.problem_mark
        line = first_line + (mark.line if mark else 0)
        problem = error.problem or "it is not YAML"
        known = (remedy for part, remedy in _REMEDIES.items() if part in problem)
        remedy = next(known, "Look at this line and the one before it: quotes, brackets, indentation.")
        result.faults.append(Fault(line, "front matter", f"It cannot be read: {problem}.", remedy))
        return result
    except (yaml.YAMLError, RecursionError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else str(error).splitlines()[0]
        result.faults.append(Fault(first_line, "front matter", f"It cannot be read: {why}.", "Keep it simple."))
        return result
    if not isinstance(node, yaml.MappingNode):
        result.faults.append(
            Fault(first_line, "front matter", "There are no keys in it.", "Write `key: value`, each on its line.")
        )
        return result
    result.values = _built(node, (), first_line, result)
    return result


def _built(node: yaml.Node, place: Place, first_line: int, result: FrontMatter) -> Any:
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            result.lines[(*place, number)] = first_line + item.start_mark.line
        return [_built(item, (*place, number), first_line, result) for number, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, line = str(key_node.value), first_line + key_node.start_mark.line
        if key in values:
            what = f"The key '{key}' stands here twice."
            result.faults.append(Fault(line, ".".join(map(str, (*place, key))), what, "Keep one of them."))
            continue
        result.lines[(*place, key)] = line
        values[key] = _built(value_node, (*place, key), first_line, result)
    return values
