"""Checks the documents: listings.py ROOT LIBRARY_DIR COMPILER

Every C listing of the guide compiles without a warning; one with a main function also links and runs. The README shows
examples/first.c as it is. Every link to a file of the project leads somewhere.
"""
import os
import pathlib
import re
import subprocess
import sys

LISTING = re.compile(r"^```c\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#:]+)(?:#[^)]*)?\)")
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable", "-Wno-unused-function", "-Wno-unused-parameter",
            "-Wno-unused-but-set-variable"]
# What stands around a listing that is a piece of a function, and so what such a piece may use.
AROUND = """#include <math.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
void piece(sigad_context *context, sigad_tape *tape, sigad_optimizer *optimizer, const char *file, const float *data,
           sigad_tensor path, sigad_tensor x, sigad_tensor y, sigad_tensor w, sigad_tensor loss, sigad_sig_spec spec);
void piece(sigad_context *context, sigad_tape *tape, sigad_optimizer *optimizer, const char *file, const float *data,
           sigad_tensor path, sigad_tensor x, sigad_tensor y, sigad_tensor w, sigad_tensor loss, sigad_sig_spec spec)
{
    {
#line %d "%s"
%s    }
}
"""


def listings(path):
    text = path.read_text(encoding="utf-8")
    for match in LISTING.finditer(text):
        yield text.count("\n", 0, match.start(1)) + 1, match[1]


def check_listing(path, line, code, root, library_dir, compiler):
    program = "int main(" in code
    if not program and not re.match(r"#include|static|typedef", code):
        code = AROUND % (line, path, code)
    else:
        code = f'#line {line} "{path}"\n{code}'
    source = pathlib.Path(f"{path.stem}_{line}.c")
    source.write_text(code, encoding="utf-8")
    command = [compiler, *WARNINGS, f"-I{root / 'include'}", str(source)]
    if not program:
        return subprocess.run([*command, "-fsyntax-only"]).returncode == 0
    binary = source.with_suffix("")
    command += ["-o", str(binary), f"-L{library_dir}", f"-Wl,-rpath,{library_dir}", "-lsigad", "-lm"]
    if subprocess.run(command).returncode:
        return False
    return subprocess.run([f"./{binary}"], timeout=120).returncode == 0


def main(root, library_dir, compiler):
    root = pathlib.Path(root)
    failed = []

    def expect(condition, complaint):
        if not condition:
            failed.append(complaint)

    counted = 0
    for line, code in listings(root / "docs" / "guide.md"):
        counted += 1
        expect(check_listing(root / "docs" / "guide.md", line, code, root, library_dir, compiler), f"docs/guide.md:{line}: listing")
    expect(counted, "docs/guide.md has no listings")

    shown = [code for _, code in listings(root / "README.md")]
    expect((root / "examples" / "first.c").read_text(encoding="utf-8") in shown, "README.md does not show examples/first.c as it is")

    documents = [*root.glob("*.md"), *(root / "docs").glob("*.md")]
    for document in documents:
        for target in LINK.findall(re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)):
            expect(os.path.exists(document.parent / target), f"{document.name}: link to {target} leads nowhere")

    for complaint in failed:
        print(complaint, file=sys.stderr)
    print(f"{counted} listings, {len(documents)} documents, {len(failed)} complaints")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main(*sys.argv[1:])
