"""gunicorn's settings, from the same settings as everything else."""

import os
import shutil
import tempfile
from typing import Any

from service.kernel import loading

loading.begin()

from service.kernel import logs  # noqa: E402
from service.kernel.settings import load  # noqa: E402

logs.configure()
_settings = load()
_counts_together = bool(_settings.metrics_token) and _settings.http_workers > 1
if _counts_together:
    # Before a worker imports prometheus-client: where several processes put what they count.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="talent-metrics-")

bind = f"127.0.0.1:{_settings.http_port}"
worker_class = "service.web.worker.ChannelWorker"
workers = _settings.http_workers
preload_app = True
timeout = 30
graceful_timeout = 15
max_requests = 20000
max_requests_jitter = 2000
accesslog = None  # the application logs every request itself, without query strings
errorlog = "-"
logger_class = "service.web.worker.Lines"
control_socket_disable = True


def when_ready(_server: Any) -> None:
    """What the master has counted while it loaded the application is none of its processes'."""
    if _counts_together:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(os.getpid())


def pre_fork(_server: Any, _worker: Any) -> None:
    """The application is loaded: each process shares what it has been made of."""
    loading.end()


def post_fork(_server: Any, _worker: Any) -> None:
    """A new process counts its own connections."""
    from service.kernel.metrics import begin_process

    begin_process()


def child_exit(_server: Any, worker: Any) -> None:
    """Keep what a process that has ended has counted, in one file for all of them."""
    if _counts_together:
        from service.kernel.metrics import forget_process

        forget_process(worker.pid)


def on_exit(_server: Any) -> None:
    if _counts_together:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
