"""What turns the pages of docs/, which a code host shows as they are, into a site.

It adds a start page, which is the README, and a gallery of all that `bench list` names. Links to files
outside docs/ go to the repository.
"""

import posixpath
import re
import subprocess
from pathlib import Path

from mkdocs.structure.files import File
from mkdocs.utils import get_relative_url

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<=\]\()([^)#\s]*)(#[^)\s]*)?(?=\))")


def on_files(files, config):
    files.append(File.generated(config, "index.md", content=(ROOT / "README.md").read_text("utf-8")))
    files.append(File.generated(config, "gallery.md", content=gallery()))
    for name in ("site.css", "site.js", "iframe-worker.js"):
        files.append(File.generated(config, name, content=(ROOT / "site" / name).read_text("utf-8")))
    return files


def on_page_markdown(markdown, page, config, files):
    repository = config.extra["repository"]
    # Where the page lies in the repository, seen from its root.
    folder = "" if page.file.src_uri == "index.md" else posixpath.dirname("docs/" + page.file.src_uri)

    def site_link(match):
        target, anchor = match[1], match[2] or ""
        if not target or ":" in target:
            return match[0]
        path = posixpath.normpath(posixpath.join(folder, target))
        inside = {"README.md": "index.md", "docs/design": "design/README.md"}.get(path, path.removeprefix("docs/"))
        if inside != path and not (ROOT / "docs" / inside).is_dir():
            return posixpath.relpath(inside, posixpath.dirname(page.file.src_uri) or ".") + anchor
        if not (ROOT / path).exists():
            return match[0]  # mkdocs reports it
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return f"{repository}/{kind}/main/{path}{anchor}"

    return LINK.sub(site_link, markdown)


def on_post_page(output, page, config):
    """Scripts come from the site itself, so that it works without a network. Names are what axe-core asks for."""
    output = output.replace("https://unpkg.com/iframe-worker/shim", get_relative_url("iframe-worker.js", page.url))
    output = output.replace('role="dialog">', 'role="dialog" aria-label="Search">')
    output = output.replace('<nav class="md-nav" aria-label', '<nav class="md-nav" role="none" data-label')
    output = re.sub(r"<th([^>]*)></th>", r"<td\1></td>", output)
    if found := re.search(r'<(?:script|link rel="?stylesheet"?|img)[^>]+(?:src|href)="?https?://[^>]*>', output):
        raise ValueError(f"{page.file.src_uri} loads something from outside the site: {found[0]}")
    return output


def gallery():
    """The page of all built-in tasks and methods, with the pictures that docs/figures has."""
    listed = subprocess.run(["go", "run", "./cmd/bench", "list"], cwd=ROOT, check=True, capture_output=True, text=True)
    text = "# Gallery\n\nAll that is built in, as `bench list` names it.\n\n## Tasks\n\n"
    for name, summary in entries(listed.stdout, "TASKS"):
        page = f"tasks/{name}.md"
        text += f"### {name}\n\n{summary[0].upper()}{summary[1:]}."
        text += f" [Its numbers]({page}).\n\n" if (ROOT / "docs" / page).exists() else "\n\n"
        picture = {"ordered-mnist": "rollout"}.get(name, name)
        if not (ROOT / "docs" / "figures" / f"{picture}.png").exists():
            raise FileNotFoundError(f"the task {name} has no picture: docs/figures/{picture}.png is not there")
        text += f"![What methods predict on {name}](figures/{picture}.png)\n\n"
    text += "## Methods\n\n[The methods](methods.md) says where each comes from, and which to try.\n\n"
    text += "![Accuracy of methods over 15 steps of ordered-mnist](figures/accuracy.png)\n\n"
    text += "| method | what it is |\n|---|---|\n"
    text += "".join(f"| `{name}` | {summary} |\n" for name, summary in entries(listed.stdout, "METHODS"))
    return text


def entries(listed, heading):
    """The names and summaries below a heading of `bench list`."""
    _, _, section = ("\n" + listed).partition(f"\n{heading}\n")
    found = re.findall(r"^  (\S+) {2,}(.+)$", section.partition("\n\n")[0], re.MULTILINE)
    if not found:
        raise ValueError(f"`bench list` has nothing below {heading}")
    return found
