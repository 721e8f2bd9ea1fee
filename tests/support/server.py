"""The program under test as a process: started on free ports, killed, started again."""

import os
import pathlib
import re
import signal
import subprocess
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
STARTED = re.compile(r"vitalwire is running.*?http\S*?=(\S+).*?mqtt\S*?=(\S+).*?mllp\S*?=(\S+)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
START_S = 120  # generous: the machine of the tests may be busy


def binary():
    """The program: VITALWIRE_BIN, else the debug build."""
    return os.environ.get("VITALWIRE_BIN") or str(ROOT / "target" / "debug" / "vitalwire")


def wait_for(condition, what, limit_s=60, every_s=0.05):
    """Asks again and again until `condition` gives something true; returns that."""
    end = time.monotonic() + limit_s
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"waited {limit_s} s in vain for: {what}"
        time.sleep(every_s)


class Server:
    """`vitalwire serve` on one data folder. The ports of the first start are kept."""

    def __init__(self, data, open=True, environment=None, config=None):
        self.data = pathlib.Path(data)
        self.logs = self.data.parent
        self.open = open
        self.config = config
        self.environment = {**os.environ, "NO_COLOR": "1", **(environment or {})}
        self.environment.pop("VITALWIRE_BIN", None)  # is no key of the configuration
        self.http = self.mqtt = self.mllp = ("127.0.0.1", 0)
        self.process = None
        self.starts = 0
        self.session = requests.Session()
        self.session.trust_env = False

    # -- life ---------------------------------------------------------------------------------

    def log_file(self):
        return self.logs / f"{self.data.name}-{self.starts}.log"

    def log(self):
        return COLOUR.sub("", self.log_file().read_text(errors="replace"))

    def start(self):
        self._spawn()
        started = wait_for(self._running, "the server to run", START_S, 0.02)
        for door, address in zip(("http", "mqtt", "mllp"), started.groups()):
            host, port = address.rsplit(":", 1)
            setattr(self, door, (host, int(port)))
        return self

    def _spawn(self):
        assert self.process is None
        self.starts += 1
        flags = ["--data", str(self.data)] + (["--open"] if self.open else [])
        flags += ["--config", str(self.config)] if self.config else []
        for door in ("http", "mqtt", "mllp"):
            host, port = getattr(self, door)
            flags += [f"--{door}", f"{host}:{port}"]
        with self.log_file().open("wb") as log:
            self.process = subprocess.Popen([binary(), "serve", *flags], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=self.environment)

    def kill_at_start(self, after_s):
        """Starts it, and kills it whether or not it runs by then."""
        self._spawn()
        time.sleep(after_s)
        self.kill()

    def _running(self):
        found = STARTED.search(self.log())
        if not found and self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log()}")
        return found

    def kill(self):
        """As a power failure would: no goodbye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            code = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self.process = None
        assert code >= 0 or code == -signal.SIGTERM, f"the program crashed while it stopped ({code})"

    def run(self, *arguments, **options):
        """Runs another command of the program on the same data folder; gives its output."""
        done = subprocess.run([binary(), *arguments, "--data", str(self.data)], capture_output=True,
                              text=True, env=self.environment, timeout=120, **options)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    # -- HTTP ---------------------------------------------------------------------------------

    @property
    def url(self):
        return f"http://{self.http[0]}:{self.http[1]}"

    def call(self, method, path, body=None, expect=200, **options):
        """One request; gives the JSON of the answer, which must have the status `expect`."""
        answer = self.session.request(method, self.url + path, json=body, timeout=60, **options)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def put(self, path, body, **options):
        return self.call("PUT", path, body, **options)

    def post(self, path, body, **options):
        return self.call("POST", path, body, **options)

    def metric(self, name, **labels):
        """Sum of a Prometheus counter or gauge over all its labels that fit."""
        total = 0.0
        for line in self.get("/metrics").splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if found and found[1] == name:
                if all(f'{key}="{value}"' in (found[2] or "") for key, value in labels.items()):
                    total += float(found[3])
        return total
