"""Keeps W&B away from the network and from the home directory."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def isolated_wandb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """W&B reads these when it starts: no reports, no login, an address nobody serves."""
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    for variable in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_RUN_ID", "WANDB_PROJECT", "WANDB_NAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    for variable in ("WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "wandb-home"))
