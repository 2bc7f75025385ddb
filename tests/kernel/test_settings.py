"""A start with a wrong environment fails, and says what is wrong with it."""

from __future__ import annotations

import os

import pytest

from service.kernel.settings import Environment, SettingsError, WechatMode, load

REQUIRED = ("DATABASE_URL", "REDIS_URL", "TALENT_KEYS_FILE", "TALENT_STORAGE_DIR")
OURS = ("TALENT_", "DATABASE_", "REDIS_")


@pytest.fixture
def environment(monkeypatch):
    """Nothing but what is required, all of it right; given changes are set, None unsets."""
    right = {name: os.environ[name] for name in REQUIRED}
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)

    def with_(**changes):
        for name, value in {**right, "TALENT_WECHAT_MODE": "demo", "TALENT_ENV": "local",
                            **changes}.items():  # fmt: skip
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        return load()

    return with_


def test_what_is_required_is_enough(environment):
    settings = environment()
    assert settings.environment is Environment.LOCAL
    assert settings.wechat_mode is WechatMode.DEMO
    assert settings.database_owner_url == settings.database_url
    assert settings.database_role == "talent_app"
    assert not settings.production


def test_an_environment_that_says_nothing_is_production(environment):
    settings = environment(
        TALENT_ENV=None,
        TALENT_WECHAT_MODE=None,
        TALENT_WECHAT_APP_ID="wx1",
        TALENT_WECHAT_SECRET="s",
        TALENT_PROXIES="1",
    )
    assert settings.production
    assert settings.wechat_mode is WechatMode.LIVE


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_variable_is_named(environment, name):
    with pytest.raises(SettingsError, match=name):
        environment(**{name: None})


def test_everything_missing_is_named_at_once(environment):
    with pytest.raises(SettingsError) as caught:
        environment(**dict.fromkeys(REQUIRED))
    for name in REQUIRED:
        assert name in str(caught.value)


def test_all_faults_are_named_in_one_round(environment, tmp_path):
    """What is missing, what is malformed, what is no file or folder, what is unsafe together."""
    (tmp_path / "file").write_text("no folder")
    faulty = {
        "DATABASE_URL": None,
        "DATABASE_POOL": "none",
        "REDIS_URL": "http://here",
        "TALENT_HTTP_PORT": "abc",
        "TALENT_KEYS_FILE": "/nowhere/keys.json",
        "TALENT_STORAGE_DIR": str(tmp_path / "file" / "below"),
        "TALENT_ENV": "production",
        "TALENT_WECHAT_MODE": "live",
        "TALENT_WECHAT_APP_ID": None,
        "TALENT_WECHAT_SECRET": None,
        "TALENT_DEMO_PASSWORD": "secret",
    }
    named = set(faulty) - {"TALENT_ENV", "TALENT_WECHAT_MODE"}
    with pytest.raises(SettingsError) as caught:
        environment(**faulty)
    assert {name for name in faulty if f"{name}: " in str(caught.value)} == named


def test_a_pooler_s_role_is_named_with_other_faults(environment):
    with pytest.raises(SettingsError) as caught:
        environment(
            DATABASE_PREPARE="false",
            DATABASE_URL="postgresql://owner:x@localhost/talent",
            TALENT_HTTP_PORT="abc",
        )
    assert "DATABASE_URL: " in str(caught.value)
    assert "TALENT_HTTP_PORT: " in str(caught.value)


def test_a_folder_that_can_be_made_is_right(environment, tmp_path):
    assert environment(TALENT_STORAGE_DIR=str(tmp_path / "a" / "b")).storage_dir


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TALENT_ENV", "prod"),
        ("TALENT_ENV", ""),
        ("TALENT_WECHAT_MODE", "mock"),
        ("DATABASE_URL", "mysql://u:secret@h/db"),
        ("DATABASE_URL", "postgresql://u:secret@h"),
        ("DATABASE_URL", "secret"),
        ("DATABASE_OWNER_URL", "secret"),
        ("REDIS_URL", "http://secret"),
        ("TALENT_KEYS_FILE", "/nowhere/secret.json"),
        ("TALENT_HTTP_PORT", "0"),
        ("TALENT_HTTP_PORT", "65536"),
        ("TALENT_HTTP_PORT", "secret"),
        ("TALENT_HTTP_WORKERS", "0"),
        ("TALENT_HTTP_THREADS", "-1"),
        ("TALENT_PROXIES", "-1"),
        ("DATABASE_POOL", "0"),
        ("DATABASE_POOL_TIMEOUT", "-1"),
        ("DATABASE_POOL_TIMEOUT", "secret"),
        ("DATABASE_POOL_TIMEOUT", "nan"),
        ("DATABASE_PREPARE", "secret"),
        ("DATABASE_STATEMENT_TIMEOUT", "0"),
        ("DATABASE_LOCK_TIMEOUT", "1.5"),
        ("DATABASE_ROLE", ""),
        ("TALENT_DEFAULT_DISTRICT", ""),
        ("TALENT_ACCESS_SECONDS", "0"),
        ("TALENT_REFRESH_DAYS", "secret"),
        ("TALENT_REUSE_GRACE_SECONDS", "-1"),
        ("TALENT_LIMIT_LOGIN_PER_ADDRESS", "secret"),
        ("TALENT_LIMIT_LOGIN_PER_ADDRESS", ""),
        ("TALENT_LIMIT_LOGIN_PER_ACCOUNT", "many per minute"),
        ("TALENT_LIMIT_KNOWN_NUMBERS_PER_ACCOUNT", "5 a day"),
        ("TALENT_LIMIT_UPLOADS", "some"),
        ("TALENT_WECHAT_URL", "secret"),
        ("TALENT_WECHAT_URL", "http://[secret"),
        ("DATABASE_URL", "postgresql://[secret/demo"),
        ("DATABASE_URL", "postgresql://owner@h:secret/demo"),
        ("REDIS_URL", "redis://[secret"),
        ("REDIS_URL", "redis://h:secret/0"),
        ("TALENT_KEYS_FILE", "secret" * 50),
        ("TALENT_STORAGE_DIR", "secret" * 50),
        ("DATABASE_STATEMENT_TIMEOUT", "2147483648"),
        ("DATABASE_LOCK_TIMEOUT", "2147483648"),
        ("DATABASE_IDLE_TIMEOUT", "2147483648"),
    ],
)
def test_a_wrong_value_is_named_and_not_repeated(environment, name, value):
    with pytest.raises(SettingsError, match=name) as caught:
        environment(**{name: value})
    assert "secret" not in str(caught.value)


def test_a_key_file_with_a_fault_is_named(environment, tmp_path):
    path = tmp_path / "keys.json"
    path.write_text('{"data": {}}')
    with pytest.raises(SettingsError, match="TALENT_KEYS_FILE"):
        environment(TALENT_KEYS_FILE=str(path))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"TALENT_WECHAT_MODE": "demo"}, "TALENT_WECHAT_MODE"),
        ({"TALENT_DEMO_PASSWORD": "secret"}, "TALENT_DEMO_PASSWORD"),
        ({"TALENT_WECHAT_APP_ID": None}, "TALENT_WECHAT_APP_ID"),
        ({"TALENT_WECHAT_SECRET": None}, "TALENT_WECHAT_SECRET"),
        ({"TALENT_WECHAT_SECRET": ""}, "TALENT_WECHAT_SECRET"),
    ],
)
def test_what_is_unsafe_in_production_is_refused_by_name(environment, changes, name):
    live = {
        "TALENT_ENV": "production",
        "TALENT_WECHAT_MODE": "live",
        "TALENT_WECHAT_APP_ID": "wx1",
        "TALENT_WECHAT_SECRET": "very",
        "TALENT_PROXIES": "1",
    }
    assert environment(**live).production
    with pytest.raises(SettingsError, match=name) as caught:
        environment(**(live | changes))
    assert "secret" not in str(caught.value).replace(name, "")


def test_settings_do_not_change(environment):
    with pytest.raises(AttributeError):
        environment().http_port = 1


def test_every_variable_of_the_documented_defaults_is_read(environment):
    """`config/default.toml` names the variable of each value beside it."""
    import re

    from service.kernel.settings import ROOT

    told = (ROOT / "config" / "default.toml").read_text(encoding="utf-8")
    read = (ROOT / "service" / "kernel" / "settings.py").read_text(encoding="utf-8")
    named = set(re.findall(r"# ((?:TALENT|DATABASE)_[A-Z_]+)", told))
    assert len(named) > 15
    assert {name for name in named if f'"{name}"' not in read} == set()


def test_behind_a_transaction_pooler_nobody_changes_role(environment):
    """A role taken by one transaction would not be there for the next: row-level security off."""
    assert not environment(DATABASE_PREPARE="false").database_prepare
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        environment(DATABASE_PREPARE="false", DATABASE_URL="postgresql://owner:x@localhost/talent")


@pytest.mark.parametrize("said", [{"TALENT_PROXIES": "1"}, {"TALENT_WITHOUT_PROXY": "true"}])
def test_production_says_how_many_proxies_stand_in_front_of_it(environment, said):
    """Without that everybody behind a proxy is one address, and shares one limit."""
    live = {"TALENT_ENV": "production", "TALENT_WECHAT_MODE": "live", "TALENT_WECHAT_APP_ID": "wx"}
    live["TALENT_WECHAT_SECRET"] = "s"
    with pytest.raises(SettingsError, match=r"TALENT_PROXIES.*TALENT_WITHOUT_PROXY"):
        environment(**live)
    assert environment(**live, **said).production
    assert not environment(TALENT_ENV="local").production
