"""Settings of a process, each with its source.

Flag before environment before secret file before TOML before default. A setting `exchange.url`
is the key `url` of the TOML table `exchange`, the variable QUORUM_EXCHANGE__URL, or the content
of the file `exchange__url` in the folder that QUORUM_SECRETS names. Unknown keys are errors.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from site_agent.contract.errors import ConfigurationError
from site_agent.contract.study.fields import nearest

PREFIX: Final = "QUORUM_"
SECRETS: Final = "QUORUM_SECRETS"
MASK: Final = "****"
BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+\Z")
TRUE: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
WORDS: Final = {
    "text": "a text",
    "path": "a path",
    "url": "an address, http:// or https:// and a host, without user and password",
    "number": "a number",
    "integer": "a whole number",
    "flag": "true or false",
    "texts": "a table of texts",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key, kind (see WORDS), default, what it does, and whether it is secret.

    A number or integer has a least value.
    """

    key: str
    kind: str
    default: Any
    help: str
    least: float = 0
    secret: bool = False

    @property
    def variable(self) -> str:
        """Return the name of its environment variable."""
        return PREFIX + self.key.upper().replace(".", "__")


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it was found, and where."""

    setting: Setting
    value: Any
    source: str

    def shown(self) -> str:
        """Return the value for a screen: secrets and passwords of addresses masked."""
        if self.setting.secret and self.value:
            return MASK
        if self.setting.kind == "texts":
            return ", ".join(f"{k} = {v}" for k, v in self.value.items())
        if self.setting.kind == "flag":
            return _toml(self.value)
        return masked(str(self.value))


class Settings(Mapping[str, Any]):
    """The values of all settings of a process, by key."""

    def __init__(self, values: Sequence[Value], file: Path) -> None:
        self.values_by_key = {value.setting.key: value for value in values}
        self.file = file

    def __getitem__(self, key: str) -> Any:
        return self.values_by_key[key].value

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_key)

    def __len__(self) -> int:
        return len(self.values_by_key)

    def path(self, key: str) -> Path:
        """Return a path; a relative one is taken from the folder of the settings file."""
        try:
            return (self.file.parent / Path(self[key]).expanduser()).absolute()
        except RuntimeError:
            raise ConfigurationError(
                f"{key} is '{self[key]}', and this machine has no such user; write the path in full"
            ) from None


def masked(text: str) -> str:
    """Return an address without its password; any other text as it is."""
    try:
        password = urlsplit(text).password
    except ValueError:
        return text
    return text.replace(f":{password}@", f":{MASK}@") if password else text


def read_settings(
    table: Sequence[Setting],
    file: Path,
    environment: Mapping[str, str],
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Return all settings of `table`; ConfigurationError names every one that does not fit.

    `file` may be missing; then everything comes from flags, environment and defaults.
    """
    document, problems = _document(file), list[str]()
    known = {setting.key: setting for setting in table}
    given = dict(_flat(document, known))
    problems += [_unknown(key, known, file.name) for key in given if key not in known]
    problems += _misnamed(table, environment)
    values = []
    for setting in table:
        found, source = _found(setting, file, given, environment, flags or {})
        try:
            values.append(Value(setting, _converted(setting, found), source))
        except ValueError:
            problems.append(
                f"{setting.key} from {source} is {_quoted(setting, found)}, expected "
                f"{_expected(setting)}"
            )
    if problems:
        raise ConfigurationError("\n  ".join([f"{file}: settings that do not fit", *problems]))
    return Settings(values, file)


def _document(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file} is not TOML: {error}") from None


def _flat(document: Mapping[str, Any], known: Mapping[str, Setting]) -> Iterator[tuple[str, Any]]:
    """Yield the keys of a TOML document with dots, and their values."""
    for name, value in document.items():
        if not isinstance(value, dict):
            yield name, value
            continue
        for inner, found in value.items():
            key = f"{name}.{inner}"
            nested = isinstance(found, dict) and (key not in known or known[key].kind != "texts")
            yield from ((f"{key}.{k}", v) for k, v in found.items()) if nested else [(key, found)]


def _misnamed(table: Sequence[Setting], environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the names of variables and with the folder of secrets."""
    variables = {setting.variable: setting for setting in table}
    letters = {name.replace("_", "") for name in variables}
    for name in environment:
        ours = name.startswith(PREFIX) and name not in variables
        if ours and ("__" in name or name.replace("_", "") in letters):
            yield _unknown(name, variables, "the environment")
    if environment.get(SECRETS) and not Path(environment[SECRETS]).is_dir():
        yield f"{SECRETS} names {environment[SECRETS]}, which is no folder here"


def _unknown(key: str, known: Mapping[str, Setting], place: str) -> str:
    return f"'{key}' in {place} is no setting{nearest(key, list(known))}"


def _found(
    setting: Setting,
    file: Path,
    given: Mapping[str, Any],
    environment: Mapping[str, str],
    flags: Mapping[str, Any],
) -> tuple[Any, str]:
    """Return the value of the first source that has one, and the source's name."""
    if flags.get(setting.key) is not None:
        return flags[setting.key], "flag"
    if setting.variable in environment:
        return environment[setting.variable], setting.variable
    secrets = environment.get(SECRETS, "")
    secret = Path(secrets) / setting.key.replace(".", "__")
    if secrets and secret.is_file():
        return secret.read_text(encoding="utf-8", errors="replace").strip(), str(secret)
    if setting.key in given:
        return given[setting.key], str(file)
    return setting.default, "default"


def _converted(setting: Setting, found: Any) -> Any:
    """Return a value of the setting's kind; ValueError if it does not fit."""
    kind, text = setting.kind, isinstance(found, str)
    if kind == "texts":
        return _texts(found)
    if kind == "flag":
        if isinstance(found, bool):
            return found
        return _looked_up(found)
    if kind in ("number", "integer"):
        if isinstance(found, bool) or not isinstance(found, int | float | str):
            raise ValueError
        number = int(found) if kind == "integer" and not isinstance(found, float) else float(found)
        if not setting.least <= number < math.inf:
            raise ValueError
        if kind == "integer" and number != int(number):
            raise ValueError
        return int(number) if kind == "integer" else number
    if not text and not isinstance(found, Path):
        raise ValueError
    if kind == "url" and found:
        _refuse_no_address(str(found))
    return str(found)


def _refuse_no_address(text: str) -> None:
    """Raise ValueError unless it is an address with a host; a port that is none raises, too."""
    found = urlsplit(text)
    if found.scheme not in ("http", "https") or not found.hostname or found.port == 0:
        raise ValueError
    if found.username is not None:  # it would take the place of the signature in the request
        raise ValueError


def _texts(found: Any) -> dict[str, str]:
    """Return a table of texts; from the environment as `name=text,name=text`."""
    if isinstance(found, str):
        pairs = [part.partition("=") for part in found.split(",") if part.strip()]
        if not all(middle for _, middle, _ in pairs):
            raise ValueError
        return {name.strip(): value.strip() for name, _, value in pairs}
    if not isinstance(found, Mapping) or any(isinstance(v, dict | list) for v in found.values()):
        raise ValueError
    return {str(name): str(value) for name, value in found.items()}


def _looked_up(found: Any) -> bool:
    value = TRUE.get(str(found).lower())
    if value is None:
        raise ValueError
    return value


def _quoted(setting: Setting, found: Any) -> str:
    return MASK if setting.secret else repr(masked(str(found)))


def _expected(setting: Setting) -> str:
    least = f" of at least {setting.least:g}" if setting.kind in ("number", "integer") else ""
    return WORDS[setting.kind] + least


def sample(table: Sequence[Setting], head: str, given: Mapping[str, Any]) -> str:
    """Return a settings file with every key, what it does, and its default or `given` value."""
    lines = [f"# {line}" for line in head.splitlines()]
    group = ""
    for setting in table:
        section, _, name = setting.key.rpartition(".")
        if section != group:
            lines += ["", f"[{section}]"]
            group = section
        lines += [f"# {line}" for line in _wrapped(setting.help)]
        value = given.get(setting.key, setting.default)
        assigned = f"{name} = {_toml(value)}"
        lines.append(assigned if setting.key in given else f"# {assigned}")
    return "\n".join([*lines, ""])


def _wrapped(text: str, width: int = 96) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_toml_key(name)} = {_toml(text)}" for name, text in value.items())
        return f"{{{inner}}}" if inner else "{}"
    if isinstance(value, int | float):
        return repr(value)
    return _toml_text(str(value))


def _toml_key(name: str) -> str:
    return name if BARE_KEY.match(name) else _toml_text(name)


def _toml_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
