"""
What an installation is deployed with: the Procfile, the image, the units and the
proxies are what they say, as far as this machine can tell.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

import pytest
from typer.main import get_command

from outletbot.cli import build
from outletbot.config import NEEDED, Settings
from outletbot.demo.running import free_ports
from outletbot.engines import CLAIMERS, READERS, WRITERS
from outletbot.web import health
from tests.outletbot.test_processes import await_answer, await_words, installation

ROOT = Path(__file__).parents[1]
UNITS = sorted((ROOT / "docs/systemd").glob("outletbot*"))
COMMANDS = set(get_command(build()).commands)  # type: ignore[attr-defined]
BIN = Path(sys.executable).parent


def routes() -> set[str]:
    return {route.path for route in health.routes}  # type: ignore[attr-defined]


class TestProcfile:
    def processes(self) -> dict[str, str]:
        lines = (ROOT / "Procfile").read_text().splitlines()
        return dict(line.split(": ", 1) for line in lines)

    def test_names_commands_that_there_are(self) -> None:
        found = {name: line.split() for name, line in self.processes().items()}

        assert set(found) == {"release", "web", "worker"}
        assert all(program == "outletbot" for program, _ in found.values())
        assert {command for _, command in found.values()} <= COMMANDS

    @pytest.mark.timeout(180)
    def test_runs_as_it_stands(self, tmp_path: Path) -> None:
        port = free_ports(23_000 + os.getpid() % 5_000, 1)[0]
        env = {
            **installation(tmp_path, port),
            "PATH": f"{BIN}{os.pathsep}{os.defpath}",
            "PYTHONUNBUFFERED": "1",
        }
        honcho = [
            str(BIN / "honcho"),
            "-f",
            str(ROOT / "Procfile"),
            "-d",
            str(tmp_path),
        ]
        release = self.processes()["release"]
        subprocess.run(  # noqa: S603  (it is our own)
            [*honcho, "run", *release.split()], check=True, env=env, timeout=60
        )
        written = tmp_path / "written"
        with written.open("w") as out:
            running = subprocess.Popen(  # noqa: S603  (as above)
                [*honcho, "start", "--port", str(port), "web", "worker"],
                env=env,
                stdout=out,
                stderr=out,
                text=True,
            )
        try:
            ready = await_answer(f"http://127.0.0.1:{port}/readyz", running, written)
            await_words(written, "worker_started")
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(30)

        log = written.read_text()
        assert ready == "ok"
        assert log.count('"process_stopped"') == 2
        assert "Traceback" not in log


class TestPlatform:
    def read(self, monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
        for name in Settings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return Settings.from_env()

    def test_is_listened_to_at_the_port_it_gives(self, monkeypatch) -> None:
        settings = self.read(monkeypatch, DYNO="web.1", PORT="5004")

        assert (settings.host, settings.port) == ("0.0.0.0", 5004)  # noqa: S104

    def test_may_be_listened_to_elsewhere(self, monkeypatch) -> None:
        settings = self.read(monkeypatch, DYNO="web.1", HOST="10.0.0.7")

        assert settings.host == "10.0.0.7"

    def test_hands_out_its_database_in_its_own_way(self, monkeypatch) -> None:
        settings = self.read(monkeypatch, DATABASE_URL="postgres://ana@db/outlet")

        assert settings.database_url == "postgresql+psycopg://ana@db/outlet"


class TestImage:
    @pytest.fixture
    def lines(self) -> list[tuple[str, str]]:
        """The instructions and what follows them, lines that go on put together."""
        text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
        kept = [line for line in text.splitlines() if line and not line.startswith("#")]
        pairs = [line.split(maxsplit=1) for line in kept]
        return [(word, rest) for word, rest in pairs]

    def ignored(self, source: str) -> bool:
        """By the last line of ``.dockerignore`` that says something about it."""
        verdict = False
        for line in (ROOT / ".dockerignore").read_text().splitlines():
            if line and not line.startswith("#") and fnmatch(source, line.lstrip("!")):
                verdict = not line.startswith("!")
        return verdict

    def test_is_made_of_files_that_there_are(self, lines) -> None:
        copied = [rest for word, rest in lines if word == "COPY"]
        sources = {
            source
            for rest in copied
            if "--from" not in rest
            for source in rest.split()[:-1]
        }

        assert {"offers", "webhooks", "outletbot", "requirements.txt"} <= sources
        assert [s for s in sources if not (ROOT / s).exists()] == []
        assert [s for s in sources if self.ignored(s)] == []

    def test_holds_every_file_that_the_package_is_built_of(self, lines) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
        copied = " ".join(rest for word, rest in lines if word == "COPY").split()

        assert {project["project"]["readme"], "LICENSE", *wheel} <= set(copied)

    def test_holds_no_secret(self, lines) -> None:
        given = " ".join(rest for word, rest in lines if word in {"ENV", "ARG"})

        assert [name for name in NEEDED if name in given] == []
        assert all(self.ignored(name) for name in (".env", ".git", "var", "tests"))
        assert self.ignored("offers/outletbot.db")

    def test_sets_settings_that_there_are(self, lines) -> None:
        final = lines[[word for word, _ in lines].index("FROM", 1) :]
        names = {
            name
            for word, rest in final
            if word == "ENV"
            for name in re.findall(r"(\w+)=", rest)
        }

        ours = {name for name in names if not name.startswith(("PYTHON", "PATH"))}
        assert ours <= {name.upper() for name in Settings.model_fields}

    def test_installs_what_was_locked(self, lines) -> None:
        installs = [
            rest for word, rest in lines if word == "RUN" and "install -" in rest
        ]
        pips = [rest for rest in installs if "pip" in rest]

        assert ["--require-hashes" in rest or "--no-deps" in rest for rest in pips] == [
            True,
            True,
        ]

    def test_has_the_python_of_the_project(self, lines) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        wanted = project["requires-python"].removeprefix(">=")
        bases = [rest.split()[0] for word, rest in lines if word == "FROM"]

        assert all(base.startswith(f"python:{wanted}-") for base in bases)

    def test_does_not_run_as_root_and_says_how_it_is(self, lines) -> None:
        words = dict(lines)  # the last of each

        assert not words["USER"].startswith(("root", "0"))
        assert words["STOPSIGNAL"] == "SIGTERM"
        assert "/healthz" in words["HEALTHCHECK"]
        assert "/healthz" in routes()
        assert words["ENTRYPOINT"] == '["outletbot"]'
        assert words["CMD"].strip('[]"') in COMMANDS


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
class TestUnits:
    def installed(self, unit: Path, folder: Path) -> Path:
        """Return the unit as it is where the program is installed."""
        copy = folder / unit.name
        program = str(BIN / "outletbot")
        text = unit.read_text().replace("/opt/outletbot/.venv/bin/outletbot", program)
        copy.write_text(text)
        return copy

    def test_is_understood_by_systemd(self, unit: Path, tmp_path: Path) -> None:
        program = shutil.which("systemd-analyze")
        if program is None:
            pytest.skip("there is no systemd on this machine")
        for other in UNITS:
            self.installed(other, tmp_path)

        done = subprocess.run(  # noqa: S603  (it was found above)
            [program, "verify", str(tmp_path / unit.name)],
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.stderr == ""
        assert done.returncode == 0

    def test_runs_a_command_that_there_is(self, unit: Path) -> None:
        started = re.findall(r"\.venv/bin/outletbot (\w+)", unit.read_text())

        assert set(started) <= COMMANDS
        assert started or unit.suffix == ".timer"

    def test_waits_until_a_service_has_ended_by_itself(self, unit: Path) -> None:
        waits = re.findall(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE)
        serves = "Type=exec" in unit.read_text()

        patience = Settings.model_fields["stop_seconds"].default
        assert len(waits) == int(serves)
        assert all(int(seconds) > patience for seconds in waits)


class TestEnvironmentExample:
    def test_names_settings_that_there_are_and_all_that_are_needed(self) -> None:
        text = (ROOT / "docs/systemd/env.example").read_text()
        names = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))

        assert set(NEEDED) <= names
        assert names <= {name.upper() for name in Settings.model_fields}


class TestProxies:
    @pytest.mark.parametrize("name", ["Caddyfile", "nginx.conf"])
    def test_keeps_to_itself_what_is_for_this_machine(self, name: str) -> None:
        text = (ROOT / "docs/proxy" / name).read_text()

        assert all(route.strip("/") in text for route in routes())
        megabytes = Settings.model_fields["max_upload_mb"].default + 1
        assert re.search(rf"\b{megabytes}MB?\b", text, re.IGNORECASE)

    def test_nginx_understands_its_example(self, tmp_path: Path) -> None:
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        if not Path(program).exists():
            pytest.skip("there is no nginx on this machine")
        self.certify(tmp_path)
        text = (ROOT / "docs/proxy/nginx.conf").read_text()
        text = re.sub(r"/etc/letsencrypt/live/outlet.example", str(tmp_path), text)
        text = text.replace("/var/cache/nginx", str(tmp_path))
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in kinds)
        config = tmp_path / "nginx.conf"
        config.write_text(
            f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{paths}{text}}}\n"
        )

        done = subprocess.run(  # noqa: S603  (it was found above)
            [program, "-t", "-c", str(config)],
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr

    def certify(self, folder: Path) -> None:
        """Make a certificate and its key."""
        words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=outlet.example"
        files = ["-keyout", "privkey.pem", "-out", "fullchain.pem"]
        subprocess.run(  # noqa: S603  (nothing of it comes from outside)
            ["openssl", *words.split(), *files],  # noqa: S607
            cwd=folder,
            check=True,
            capture_output=True,
        )

    def test_caddy_understands_its_example(self) -> None:
        program = shutil.which("caddy")
        if program is None:
            pytest.skip("there is no Caddy on this machine")
        example = str(ROOT / "docs/proxy/Caddyfile")

        done = subprocess.run(  # noqa: S603  (it was found above)
            [program, "validate", "--adapter", "caddyfile", "--config", example],
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr


class TestGuide:
    @pytest.fixture
    def text(self) -> str:
        return (ROOT / "docs/deploying.md").read_text()

    def test_counts_the_connections_of_a_process_right(self, text: str) -> None:
        listening = 1

        (told,) = re.findall(r"at most \*\*(\d+)\*\* connections", text)
        assert int(told) == READERS + WRITERS + CLAIMERS + listening

    def test_names_commands_and_files_that_there_are(self, text: str) -> None:
        commands = set(re.findall(r"`?\boutletbot ([a-z][a-z-]+)`", text))
        files = re.findall(r"\]\(((?:systemd|proxy)/[^)]+)\)", text)

        assert commands <= COMMANDS
        assert files
        assert [name for name in files if not (ROOT / "docs" / name).exists()] == []

    def test_names_settings_that_there_are(self, text: str) -> None:
        names = {name.upper() for name in Settings.model_fields}
        told = set(re.findall(r"`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`", text))

        assert told <= names

    def test_shows_sections_in_the_order_of_their_list(self, text: str) -> None:
        listed = re.findall(r"^- \[([^\]]+)\]\(#", text, re.MULTILINE)
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)

        assert listed == headings
        assert all(one != another for one, another in pairwise(headings))
