# SPDX-License-Identifier: MIT
"""Writes core/src/builtin.c: the default model and the presets, as the core carries them.

python tools/embed.py            after models/ changed
python tools/embed.py --check    exit 1 when core/src/builtin.c is not what models/ says
"""

import argparse
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODEL = ROOT / "models" / "snare_1.safetensors"
PRESETS = ROOT / "models" / "presets"
OUTPUT = ROOT / "core" / "src" / "builtin.c"

HEAD = """/* SPDX-License-Identifier: MIT
 * Made by tools/embed.py from models/: do not edit. */
#include "torchdrum.h"
"""


def source() -> str:
    """The text of builtin.c."""
    model = MODEL.read_bytes()
    lines = [HEAD, f"static const unsigned char model[{len(model)}] = {{"]
    for at in range(0, len(model), 32):
        lines.append("    " + ",".join(str(b) for b in model[at : at + 32]) + ",")
    lines += ["};", "", "static const struct { const char *name, *json; } presets[] = {"]
    for path in sorted(PRESETS.glob("*.json")):
        text = json.dumps(json.loads(path.read_text()), separators=(",", ":")).replace('"', '\\"')
        lines.append(f'    {{"{path.stem}",\n     "{text}"}},')
    lines += [
        "};",
        "",
        "const unsigned char *td_builtin_model(size_t *bytes)",
        "{",
        "    *bytes = sizeof model;",
        "    return model;",
        "}",
        "",
        "const char *td_builtin_preset(int index, const char **name)",
        "{",
        "    if (index < 0 || index >= (int)(sizeof presets / sizeof *presets)) return NULL;",
        "    *name = presets[index].name;",
        "    return presets[index].json;",
        "}",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare")
    text = source()
    if parser.parse_args().check:
        if OUTPUT.read_text() == text:
            return 0
        print(f"{OUTPUT.name} does not match models/: run python tools/embed.py", file=sys.stderr)
        return 1
    OUTPUT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
