"""A PostgreSQL that is thrown away: Debian's binaries, a cluster in a folder of its own, with every
commit on the disk before it is acknowledged. A shell ends it, however this process ends."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

USER = "licentia"
WATCH = """
"$1/postgres" -D "$2/data" >"$2/log" 2>&1 </dev/null & pid=$!
read -r nothing
kill -INT "$pid"; wait "$pid"; rm -rf "$2"
"""
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{home}'
fsync = on
synchronous_commit = on
max_connections = 200
shared_buffers = 512MB
max_wal_size = 4GB
checkpoint_timeout = 30min
log_min_messages = warning
"""


def binaries() -> pathlib.Path | None:
    """Where Debian has them, the newest first."""
    found = pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return max((it.parent for it in found), key=lambda it: int(it.parent.name), default=None)


class Cluster:
    """A running one."""

    def __init__(self, bin_folder: pathlib.Path, home: pathlib.Path, port: int) -> None:
        self.bin, self.home, self.port = bin_folder, home, port

    def url(self, database: str) -> str:
        return f"postgres://{USER}@127.0.0.1:{self.port}/{database}"

    def sql(self, database: str, statement: str) -> str:
        """Runs statements, and gives what they answer."""
        place = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database]
        command = [str(self.bin / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", *place]
        done = subprocess.run(command, input=statement, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"bench: {statement[:200]}: {done.stderr}")
        return done.stdout.strip()

    def answers(self) -> bool:
        asked = [str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked).returncode == 0


@contextlib.contextmanager
def cluster(bin_folder: pathlib.Path) -> Iterator[Cluster]:
    """Makes one, and removes it afterwards. PostgreSQL does not run as root: then it is run by an
    account without rights."""
    who: dict[str, int] = {}
    home = pathlib.Path(tempfile.mkdtemp(prefix="licentia-bench-pg-"))
    if os.getuid() == 0:
        known = {account.pw_name: account for account in pwd.getpwall()}
        account = known.get("postgres") or known["nobody"]
        who = {"user": account.pw_uid, "group": account.pw_gid}
        os.chown(home, account.pw_uid, account.pw_gid)
    alone: dict[str, Any] = {"cwd": home, "extra_groups": [] if who else None, **who}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    init = [str(bin_folder / "initdb"), "--no-sync", "-E", "UTF8", "--locale=C", "-U", USER]
    init += ["-A", "trust", "-D", str(home / "data")]
    subprocess.run(init, check=True, stdout=subprocess.DEVNULL, **alone)
    with (home / "data/postgresql.auto.conf").open("w") as settings:
        settings.write(SETTINGS.format(port=port, home=home))
    watch = ["/bin/sh", "-c", WATCH, "watch", str(bin_folder), str(home)]
    shell = subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True, **alone)
    try:
        made = Cluster(bin_folder, home, port)
        for _ in range(600):
            if made.answers():
                break
            time.sleep(0.05)
        else:
            raise SystemExit(f"bench: PostgreSQL does not start: {(home / 'log').read_text()}")
        yield made
    finally:
        shell.communicate()
        shutil.rmtree(home, ignore_errors=True)
