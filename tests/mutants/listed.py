"""The list of mutants, `*.toml` beside this file: read, and compared with the code as it is."""

import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUITES = ("scenarios", "services", "sql", "browser")
KINDS = ("pgtap", "unit", *SUITES)


def read_list(words):
    """The mutants, those without a build first and those with the same tests beside each other; ends when the list does not fit the code."""
    mutants, wrong, names = [], [], set()
    for file in sorted((ROOT / "tests/mutants").glob("*.toml")):
        try:
            listed = tomllib.loads(file.read_text())["mutant"]
        except (tomllib.TOMLDecodeError, KeyError) as error:
            wrong.append(f"{file.name} cannot be read: {error}")
            continue
        for mutant in listed:
            name = mutant.get("name", "a mutant without a name")
            if set(mutant) != {"name", "file", "old", "new", "tests"} or not mutant["tests"]:
                wrong.append(f"{file.name}: {name}: it has name, file, old, new and tests, and nothing else")
                continue
            if name in names:
                wrong.append(f"{file.name}: {name}: another one has that name")
            names.add(name)
            path = ROOT / mutant["file"]
            count = path.read_text().count(mutant["old"]) if path.exists() else 0
            if count != 1 or mutant["old"] == mutant["new"]:
                wrong.append(f"{file.name}: {name}: its old text is {count} times in {mutant['file']}; it must be there once and differ from the new one")
            for test in mutant["tests"]:
                kind, _, rest = test.partition(":")
                if kind not in KINDS or not rest or kind == "unit" and ":" not in rest:
                    wrong.append(f"{file.name}: {name}: {test} is none of {', '.join(KINDS)} with what to run")
                if kind == "pgtap" and not (ROOT / "supabase/tests" / rest).is_dir():
                    wrong.append(f"{file.name}: {name}: there is no folder supabase/tests/{rest}")
            mutants.append({"area": file.stem, **mutant})
    if wrong:
        sys.exit("the list does not fit the code any more; mend tests/mutants:\n  " + "\n  ".join(wrong))
    chosen = [one for one in mutants if all(word.lower() in json.dumps(one).lower() for word in words)]
    chosen.sort(key=lambda one: (max(KINDS.index(test.split(":")[0]) for test in one["tests"]), one["file"].rpartition(".")[2] == "rs", sorted(one["tests"])))
    return chosen
