"""gunicorn's settings, from the same settings as everything else."""

from service.kernel.settings import load

_settings = load()

bind = f"127.0.0.1:{_settings.http_port}"
worker_class = "gthread"
workers = _settings.http_workers
threads = _settings.http_threads
timeout = 30
graceful_timeout = 15
keepalive = 5
max_requests = 20000
max_requests_jitter = 2000
limit_request_line = 8190
limit_request_field_size = 8190
accesslog = None  # the application logs every request itself, without query strings
errorlog = "-"
control_socket_disable = True
