"""A real Slurm on one machine: Debian's munge and slurm-wlm, with several nodes on loopback.

Everything lies in one folder, except `/etc/slurm/slurm.conf` and `gres.conf`: job steps look for
their configuration there and nowhere else. A machine that has a configuration of its own is left
alone.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ETC = Path("/etc/slurm")
MARK = "# made by listenread's tests/cluster; removed when they end"
PACKAGES = ("slurm-wlm", "munge")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")

SLURM_CONF = """{mark}
ClusterName=listenread
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# The second: how long a job of a dead node waits before it is started again.
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
MpiDefault=none
MinJobAge=3600
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
AccountingStorageType=accounting_storage/none
# Memory is watched each second; a job over its request is killed.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SchedulerParameters=batch_sched_delay=0
KillWait=1
ReturnToService=2
SlurmdTimeout=6
GresTypes=gpu
SlurmdParameters=config_overrides
{nodes}
PartitionName=main Nodes=ALL Default=YES State=UP MaxTime=INFINITE LLN=YES
"""
NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} "
    "CPUs=2 RealMemory=16000 Gres=gpu:1"
)


class Job(NamedTuple):
    """A job as Slurm knows it; `comment` is how the plugin names the rule or the group."""

    number: str
    state: str
    node: str
    limit: str
    comment: str


def why_not() -> str | None:
    """Why there can be no cluster here; None where there can. Installs the packages as root."""
    if os.geteuid() != 0:
        return "only root can start Slurm's daemons"
    configuration = ETC / "slurm.conf"
    if configuration.exists() and MARK not in configuration.read_text("utf-8"):
        return f"{configuration} belongs to a Slurm that is not ours"
    if all(map(shutil.which, PROGRAMS)):
        return None
    if not shutil.which("apt-get"):
        return f"{' and '.join(PACKAGES)} are not installed, and there is no apt-get"
    for command in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(
            # Another installation may be under way on a fresh machine.
            ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=240", *command],
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        if done.returncode:
            return f"apt-get {command[0]} failed: {done.stderr.strip()[-300:]}"
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    return f"after the installation there is no {', '.join(missing)}" if missing else None


class Slurm:
    """One controller and `nodes` compute nodes of two CPUs and one pretended GPU each."""

    def __init__(self, nodes: int):
        # munged wants a folder that everyone may pass through, which pytest's are not.
        self.folder = Path(tempfile.mkdtemp(prefix="listenread-slurm-"))
        self.folder.chmod(0o711)
        self.nodes = [f"node{number}" for number in range(1, nodes + 1)]
        self._written: list[Path] = []

    def start(self) -> None:
        """Start all daemons and wait until every node takes jobs."""
        # munged refuses a key that others could replace.
        munge = self.folder / "munge"
        munge.mkdir(mode=0o711)
        (munge / "key").touch(mode=0o400)
        (munge / "key").write_bytes(os.urandom(64))
        (self.folder / "state").mkdir()
        self._configure()
        _run(
            "munged", f"--key-file={munge}/key", f"--socket={munge}/socket",
            f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed",
        )  # fmt: skip
        _run("slurmctld", "-i")
        for node in self.nodes:
            self.start_node(node)
        wait_for(lambda: set(self.node_states().values()) == {"idle"}, "nodes to be idle")

    def _configure(self) -> None:
        host = socket.gethostname().partition(".")[0]
        ports = _free_ports(len(self.nodes) + 1)
        lines, devices = [], [MARK, "AutoDetect=off"]
        for node, port in zip(self.nodes, ports[1:], strict=True):
            lines.append(NODE.format(name=node, host=host, port=port))
            device = self.folder / f"gpu-{node}"
            device.touch()
            devices.append(f"NodeName={node} Name=gpu File={device}")
        text = SLURM_CONF.format(
            mark=MARK, host=host, port=ports[0], folder=self.folder, nodes="\n".join(lines)
        )
        ETC.mkdir(exist_ok=True)
        for name, content in (("slurm.conf", text), ("gres.conf", "\n".join(devices) + "\n")):
            self._written.append(ETC / name)
            (ETC / name).write_text(content, "utf-8")

    def start_node(self, node: str) -> None:
        """Start the daemon of a node."""
        _run("slurmd", "-N", node)

    def crash_node(self, node: str) -> None:
        """End a node's daemon and every process of its jobs at once, as a power cut would."""
        daemon = self._pid(self.folder / f"slurmd-{node}.pid")
        for process in [daemon, *self._step_daemons(node)]:
            for victim in [process, *_descendants(process)]:
                _kill(victim)

    def _step_daemons(self, node: str) -> list[int]:
        """Slurm's own processes that watch the jobs of a node; each job has some."""
        jobs = {job.number for job in self.jobs() if job.node == node}
        return [
            pid
            for pid, command in _processes().items()
            if command.startswith("slurmstepd") and any(f"[{n}." in command for n in jobs)
        ]

    def job_processes(self, number: str, word: str) -> list[int]:
        """Processes of a job whose command line has a word."""
        commands = _processes()
        steps = [
            pid
            for pid, command in commands.items()
            if command.startswith(f"slurmstepd: [{number}.")
        ]
        return [
            pid for step in steps for pid in _descendants(step) if word in commands.get(pid, "")
        ]

    def drain(self, node: str) -> None:
        """Let a node take no further job; those that run go on."""
        _run("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=test")

    def resume(self, node: str) -> None:
        """Let a node take jobs again."""
        _run("scontrol", "update", f"NodeName={node}", "State=RESUME")

    def node_states(self) -> dict[str, str]:
        """Node -> its state in a word."""
        lines = _run("sinfo", "-N", "-h", "-o", "%N %T").split("\n")
        return dict(line.split() for line in lines if line)

    def jobs(self) -> list[Job]:
        """Every job that the controller remembers, the oldest first."""
        lines = _run("squeue", "--states=all", "-h", "-S", "i", "-o", "%i|%T|%N|%l|%k").split("\n")
        return [Job(*line.split("|", 4)) for line in lines if line]

    def unfinished(self) -> list[Job]:
        """Jobs that wait, run or are being cleared away."""
        return [job for job in self.jobs() if job.state in ("PENDING", "RUNNING", "COMPLETING")]

    def stop(self) -> None:
        """Stop every daemon and job, and remove what was written outside the folder."""
        controller = self._pid(self.folder / "slurmctld.pid")
        if _alive(controller):
            with suppress(subprocess.SubprocessError, TimeoutError):
                _run("scancel", "-u", "root")
                wait_for(lambda: not self.unfinished(), "jobs to end", seconds=15)
        pids = [self._pid(self.folder / f"slurmd-{node}.pid") for node in self.nodes]
        pids += [controller, self._pid(self.folder / "munge" / "pid")]
        for pid in pids:
            _kill(pid, signal.SIGTERM)
        with suppress(TimeoutError):
            wait_for(lambda: not any(map(_alive, pids)), "daemons to end", seconds=15)
        for pid in pids:
            _kill(pid)
        for path in self._written:
            path.unlink(missing_ok=True)
        shutil.rmtree(self.folder)

    @staticmethod
    def _pid(file: Path) -> int | None:
        with suppress(OSError, ValueError):
            return int(file.read_text("ascii"))
        return None


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: it was not within `seconds`.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.2)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        raise subprocess.SubprocessError(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


def _processes() -> dict[int, str]:
    """Process id -> command line."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found[int(folder.name)] = (
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
    return found


def _descendants(root: int | None) -> list[int]:
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            # The name, in brackets, may hold blanks.
            stat = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            parents[int(folder.name)] = int(stat[1])
    found, level = [], [root]
    while level := [pid for pid, parent in parents.items() if parent in level]:
        found += level
    return found


def _alive(pid: int | None) -> bool:
    with suppress(OSError):
        # A zombie has ended; nobody may have collected it.
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(errors="replace")
    return False


def _kill(pid: int | None, how: signal.Signals = signal.SIGKILL) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, how)
