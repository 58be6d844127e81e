"""The whole test session runs in float64 with strict promotion of nothing but what JAX does by default.

More than half of its time would go to compiling small programs. So its processes, and the commands that
they start, share what they compile (a folder of this session), and XLA optimises little, except for slow
checks and for what the pages show. Every core has a process, and a process one thread for linear algebra.
"""

import atexit
import ctypes
import gc
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

SHARED = "JAX_COMPILATION_CACHE_DIR"
if SHARED not in os.environ:  # in the first process; workers inherit it
    os.environ[SHARED] = tempfile.mkdtemp(prefix="compiled-")
    atexit.register(shutil.rmtree, os.environ[SHARED], ignore_errors=True)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import hypothesis  # noqa: E402
import jax  # noqa: E402
import pytest  # noqa: E402

jax.config.update("jax_enable_x64", True)


QUICKLY = "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
"""XLA's former way from fused operations to machine code, each program in one part: a third and a seventh
less time for a session's programs."""


def pytest_configure(config: pytest.Config) -> None:
    """Properties meet the same examples every time; little is optimised where slow checks are left out."""
    hypothesis.settings.register_profile("same", derandomize=True, database=None)
    hypothesis.settings.load_profile("same")
    if "not slow" in config.getoption("markexpr"):
        os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
        jax.config.update("jax_disable_most_optimizations", True)
        flags = os.environ.get("XLA_FLAGS", "")
        if QUICKLY not in flags:
            os.environ["XLA_FLAGS"] = f"{flags} {QUICKLY}".strip()


LONG = Path(__file__).parent / "tests" / "long_tests.txt"
"""The tests that are slow by measure: a line each, see CONTRIBUTING."""
UNKNOWN = pytest.StashKey[set[str]]()
"""Lines of it that name no test, known where all tests were collected."""


def pytest_addoption(parser: pytest.Parser) -> None:
    help = "append the processor seconds and the name of each test to FILE"
    parser.addoption("--processor-times", metavar="FILE", help=help)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks the tests of the list slow."""
    listed = set(LONG.read_text().splitlines())
    for item in items:
        if item.nodeid in listed:
            item.add_marker(pytest.mark.slow)
    whole = config.args == config.getini("testpaths")
    config.stash[UNKNOWN] = listed - {item.nodeid for item in items} if whole else set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    """Measures a test with what it sets up, where that is asked for."""
    begun = time.process_time()
    done = yield
    if path := item.config.getoption("--processor-times"):
        with open(path, "a") as file:
            file.write(f"{time.process_time() - begun:.2f}\t{item.nodeid}\n")
    return done


@pytest.fixture
def unknown_long_tests(request: pytest.FixtureRequest) -> set[str]:
    return request.config.stash[UNKNOWN]


def pytest_xdist_auto_num_workers() -> int:
    """A process for every core that this one may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the collector of garbage need not look at it again and again."""
    gc.collect()
    gc.freeze()


MOST_MAPPINGS = 20_000
"""Compiled programs hold memory mappings, of which Linux allows a process 65,530; beyond, LLVM aborts."""
MOST_MEMORY = 2 << 30
"""Bytes of a process; a program takes about two million."""


@pytest.fixture
def optimised(as_users_compile):
    """The same where an earlier test may have compiled the programs already."""
    jax.clear_caches()


@pytest.fixture
def as_users_compile(monkeypatch):
    """Programs, also of commands, as users compile them. XLA's lowest level miscompiles a few loops (NaN)."""
    before = jax.config.values["jax_disable_most_optimizations"]
    monkeypatch.delenv("JAX_DISABLE_MOST_OPTIMIZATIONS", raising=False)
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture(autouse=True, scope="module")
def few_programs():
    """Compiled programs are forgotten, between files, before there are too many."""
    yield
    maps = Path("/proc/self/maps")
    if _resident() > MOST_MEMORY or (maps.exists() and maps.read_bytes().count(b"\n") > MOST_MAPPINGS):
        _forget()


@pytest.fixture(autouse=True)
def little_memory():
    """The same within a file, where they have grown to half as much again."""
    yield
    if _resident() > 3 * MOST_MEMORY // 2:
        _forget()


def _resident() -> int:
    """Bytes that this process holds; 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * resource.getpagesize() if statm.exists() else 0


def _forget() -> None:
    jax.clear_caches()
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # glibc keeps what is freed


@pytest.fixture(autouse=True)
def float64():
    """The commands set JAX's precision for their process; no test leaves it changed for those after it."""
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", True)


@pytest.fixture
def key() -> jax.Array:
    """One fixed key; tests split it."""
    return jax.random.key(20251122)
