"""Settings: `config/default.toml`, each value replaceable by an environment variable.

A value that is missing, of the wrong form or unsafe in production is named at start, all of them
at once, so that an operator corrects the environment in one go.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from environs import Env, EnvValidationError, ValidationError
from marshmallow.validate import Length, Range, Regexp

from service.kernel.keys import load_keys

ROOT: Final = Path(__file__).resolve().parents[2]
"""The checkout: where `config/`, `migrations/` and `api_specs/` are."""

_positive: Final = Range(min=1)
_milliseconds: Final = Range(1, 2**31 - 1)
"""What PostgreSQL takes for a time limit."""
_given: Final = Length(min=1)
_token: Final = Regexp(
    r"([!-~]{16,})?\Z", error="Expected at least 16 visible ASCII characters, or nothing."
)
_rate: Final = Regexp(
    r"[1-9][0-9]* per (second|minute|hour|day)\Z", error="Expected a rate: 30 per minute."
)


class Environment(StrEnum):
    """Where the service runs; only `production` meets people's real cases."""

    LOCAL = "local"
    TEST = "test"
    PRODUCTION = "production"


class WechatMode(StrEnum):
    """`demo` signs anybody in by name and never runs in production."""

    LIVE = "live"
    DEMO = "demo"


class SettingsError(Exception):
    """The environment does not allow a start; the message names every variable at fault."""


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the database is, and how it is spoken to."""

    database_url: str
    database_owner_url: str
    database_role: str
    database_pool: int
    database_pool_timeout: float
    database_prepare: bool
    database_statement_timeout: int
    database_lock_timeout: int
    database_idle_timeout: int


@dataclass(frozen=True, slots=True)
class Settings(DatabaseSettings):
    """Everything an installation decides."""

    environment: Environment
    default_district: str
    clock_tolerance: float
    redis_url: str
    keys_file: Path
    storage_dir: Path
    material_bytes: int
    material_pixels: int
    material_pages: int
    material_unpacked_bytes: int
    material_retention_years: int
    material_person_files: int
    material_person_bytes: int
    http_port: int
    http_workers: int
    http_threads: int
    proxies: int
    without_proxy: bool
    access_seconds: int
    refresh_days: int
    reuse_grace_seconds: int
    limit_login_per_address: str
    limit_login_per_account: str
    limit_known_numbers_per_account: str
    limit_failed_per_account: str
    limit_eligibility: str
    limit_uploads: str
    wechat_mode: WechatMode
    wechat_url: str
    wechat_app_id: str
    wechat_secret: str
    metrics_token: str

    @property
    def production(self) -> bool:
        """Whether real people's cases are handled here."""
        return self.environment is Environment.PRODUCTION


def load() -> Settings:
    """Read the settings, or raise `SettingsError` that names everything wrong with them."""
    env = Env(eager=False)
    settings = _read(env, _defaults())
    demo_password = "TALENT_DEMO_PASSWORD" in os.environ
    _refuse([*_malformed(env), *_unpooled(settings), *_unsafe(settings, demo_password)])
    return settings


def load_database() -> DatabaseSettings:
    """Read the settings of the database alone, or raise `SettingsError` that names all faults.

    For what speaks to the database and to nothing else: migrations, checks.
    """
    env = Env(eager=False)
    settings = DatabaseSettings(**_read_database(env, _defaults()["database"]))
    _refuse([*_malformed(env), *_unpooled(settings)])
    return settings


def _defaults() -> dict[str, Any]:
    return tomllib.loads((ROOT / "config" / "default.toml").read_text(encoding="utf-8"))


def _refuse(faults: list[str]) -> None:
    if faults:
        raise SettingsError("settings: " + "; ".join(faults))


def _read(env: Env, defaults: dict[str, Any]) -> Settings:
    """Every setting; what is wrong is collected in `env` and told when it is sealed."""
    wechat = defaults["wechat"]
    # A default is taken as it is, not parsed: it has to be of the enum already.
    mode = WechatMode(wechat["mode"])
    environment = Environment(defaults["environment"])
    return Settings(
        **_read_database(env, defaults["database"]),
        **_read_http(env, defaults),
        **_read_materials(env, defaults["materials"]),
        environment=env.enum("TALENT_ENV", environment, enum=Environment, by_value=True),
        default_district=env.str(
            "TALENT_DEFAULT_DISTRICT", defaults["default_district"], validate=_given
        ),
        clock_tolerance=env.float(
            "TALENT_CLOCK_TOLERANCE",
            defaults["worker"]["clock_tolerance"],
            validate=Range(min=0, min_inclusive=False),
        ),
        redis_url=env.str("REDIS_URL", validate=_redis_url),
        keys_file=env.path("TALENT_KEYS_FILE", validate=_key_file),
        storage_dir=env.path("TALENT_STORAGE_DIR", validate=_folder),
        wechat_mode=env.enum("TALENT_WECHAT_MODE", mode, enum=WechatMode, by_value=True),
        wechat_url=env.str("TALENT_WECHAT_URL", wechat["base_url"], validate=_web_url),
        wechat_app_id=env.str("TALENT_WECHAT_APP_ID", ""),
        wechat_secret=env.str("TALENT_WECHAT_SECRET", ""),
        metrics_token=env.str("TALENT_METRICS_TOKEN", "", validate=_token),
    )


def _read_database(env: Env, defaults: dict[str, Any]) -> dict[str, Any]:
    url = env.str("DATABASE_URL", validate=_postgres_url)
    return {
        "database_url": url,
        "database_owner_url": env.str("DATABASE_OWNER_URL", url, validate=_postgres_url),
        "database_role": env.str("DATABASE_ROLE", defaults["role"], validate=_given),
        "database_pool": env.int("DATABASE_POOL", defaults["pool"], validate=_positive),
        "database_pool_timeout": env.float(
            "DATABASE_POOL_TIMEOUT", defaults["pool_timeout"], validate=Range(min=0)
        ),
        "database_prepare": env.bool("DATABASE_PREPARE", defaults["prepare"]),
        "database_statement_timeout": env.int(
            "DATABASE_STATEMENT_TIMEOUT", defaults["statement_timeout"], validate=_milliseconds
        ),
        "database_lock_timeout": env.int(
            "DATABASE_LOCK_TIMEOUT", defaults["lock_timeout"], validate=_milliseconds
        ),
        "database_idle_timeout": env.int(
            "DATABASE_IDLE_TIMEOUT", defaults["idle_timeout"], validate=_milliseconds
        ),
    }


def _read_http(env: Env, defaults: dict[str, Any]) -> dict[str, Any]:
    http, sessions, limits = defaults["http"], defaults["sessions"], defaults["limits"]
    return {
        "http_port": env.int("TALENT_HTTP_PORT", http["port"], validate=Range(1, 65535)),
        "http_workers": env.int("TALENT_HTTP_WORKERS", http["workers"], validate=_positive),
        "http_threads": env.int("TALENT_HTTP_THREADS", http["threads"], validate=_positive),
        "proxies": env.int("TALENT_PROXIES", http["proxies"], validate=Range(0)),
        "without_proxy": env.bool("TALENT_WITHOUT_PROXY", http["without_proxy"]),
        "access_seconds": env.int(
            "TALENT_ACCESS_SECONDS", sessions["access_seconds"], validate=_positive
        ),
        "refresh_days": env.int(
            "TALENT_REFRESH_DAYS", sessions["refresh_days"], validate=_positive
        ),
        "reuse_grace_seconds": env.int(
            "TALENT_REUSE_GRACE_SECONDS", sessions["reuse_grace_seconds"], validate=Range(0)
        ),
        "limit_login_per_address": env.str(
            "TALENT_LIMIT_LOGIN_PER_ADDRESS", limits["login_per_address"], validate=_rate
        ),
        "limit_login_per_account": env.str(
            "TALENT_LIMIT_LOGIN_PER_ACCOUNT", limits["login_per_account"], validate=_rate
        ),
        "limit_known_numbers_per_account": env.str(
            "TALENT_LIMIT_KNOWN_NUMBERS_PER_ACCOUNT",
            limits["known_numbers_per_account"],
            validate=_rate,
        ),
        "limit_failed_per_account": env.str(
            "TALENT_LIMIT_FAILED_PER_ACCOUNT", limits["failed_per_account"], validate=_rate
        ),
        "limit_eligibility": env.str(
            "TALENT_LIMIT_ELIGIBILITY", limits["eligibility"], validate=_rate
        ),
        "limit_uploads": env.str("TALENT_LIMIT_UPLOADS", limits["uploads"], validate=_rate),
    }


def _read_materials(env: Env, defaults: dict[str, Any]) -> dict[str, Any]:
    return {
        "material_bytes": env.int("TALENT_MATERIAL_BYTES", defaults["bytes"], validate=_positive),
        "material_pixels": env.int(
            "TALENT_MATERIAL_PIXELS", defaults["pixels"], validate=_positive
        ),
        "material_pages": env.int("TALENT_MATERIAL_PAGES", defaults["pages"], validate=_positive),
        "material_unpacked_bytes": env.int(
            "TALENT_MATERIAL_UNPACKED_BYTES", defaults["unpacked_bytes"], validate=_positive
        ),
        "material_retention_years": env.int(
            "TALENT_MATERIAL_RETENTION_YEARS", defaults["retention_years"], validate=_positive
        ),
        "material_person_files": env.int(
            "TALENT_MATERIAL_PERSON_FILES", defaults["person_files"], validate=_positive
        ),
        "material_person_bytes": env.int(
            "TALENT_MATERIAL_PERSON_BYTES", defaults["person_bytes"], validate=_positive
        ),
    }


def _malformed(env: Env) -> list[str]:
    """`NAME: what is wrong` for every variable that is missing or malformed, never its value."""
    try:
        env.seal()
    except EnvValidationError as error:
        faults = error.error_messages
        if not isinstance(faults, Mapping):
            return list(faults)
        return [f"{name}: {' '.join(messages)}" for name, messages in faults.items()]
    return []


def _unpooled(settings: DatabaseSettings) -> list[str]:
    """Behind a transaction pooler a role taken after the login would not stay with it."""
    pooled = settings.database_prepare is False and settings.database_url
    if not pooled or urlsplit(settings.database_url).username == settings.database_role:
        return []
    return ["DATABASE_URL: With DATABASE_PREPARE=false the login must be DATABASE_ROLE."]


def _unsafe(settings: Settings, demo_password: bool) -> list[str]:
    """What each value allows by itself, but not together with the others.

    A value that is malformed is None here, and named elsewhere.
    """
    faults = []
    if settings.wechat_mode is WechatMode.LIVE:
        live = {
            "TALENT_WECHAT_APP_ID": settings.wechat_app_id,
            "TALENT_WECHAT_SECRET": settings.wechat_secret,
        }
        faults += [f"{name}: Environment variable not set." for name in live if not live[name]]
    if settings.production and settings.wechat_mode is WechatMode.DEMO:
        faults.append("TALENT_WECHAT_MODE: demo is refused in production")
    if settings.production and not settings.proxies and not settings.without_proxy:
        # The web listens on 127.0.0.1: behind a proxy everybody would have one address, one limit.
        faults.append(
            "TALENT_PROXIES: 0 in production; say how many proxies stand in front, or"
            " TALENT_WITHOUT_PROXY=true"
        )
    if settings.production and demo_password:
        faults.append("TALENT_DEMO_PASSWORD: refused in production")
    return faults


def _postgres_url(text: str) -> None:
    parts = _parts(text)
    if not parts or parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ValidationError("Expected postgresql://user:password@host:port/database.")


def _redis_url(text: str) -> None:
    parts = _parts(text)
    if not parts or parts.scheme not in {"redis", "rediss", "unix"}:
        raise ValidationError("Expected redis://host:port/number.")


def _web_url(text: str) -> None:
    parts = _parts(text)
    if not parts or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValidationError("Expected https://host.")


def _parts(url: str) -> SplitResult | None:
    """The parts of an address; none where its host or port cannot be told."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _key_file(path: Path) -> None:
    try:
        if not path.is_file():
            raise ValidationError("No such file: `talent keys new FILE` writes one.")
        load_keys(path)
    except OSError as error:
        raise ValidationError(str(error.strerror)) from None
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _folder(path: Path) -> None:
    """A folder that may be written to, or a place where one can be made."""
    try:
        nearest = next(place for place in (path, *path.absolute().parents) if place.exists())
    except OSError as error:
        raise ValidationError(str(error.strerror)) from None
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise ValidationError("Expected a folder that this user may write to.")
