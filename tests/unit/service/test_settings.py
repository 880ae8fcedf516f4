"""The settings that every service has."""

from __future__ import annotations

import pytest

from platform_lib.config import environment_variables, load
from platform_lib.errors import ConfigError
from platform_lib.service import LifecycleSettings, ServiceSettings
from tests.unit.service.driving import ShopSettings


def test_the_stages_of_stopping_fit_into_the_thirty_seconds_that_kubernetes_grants() -> None:
    stages = LifecycleSettings()

    assert stages.drain + stages.in_flight + stages.stop + stages.flush < 30


def test_a_service_needs_no_setting_to_start() -> None:
    assert load(ShopSettings, environ={}).http.port == 8080


def test_durations_are_set_with_their_unit() -> None:
    settings = load(ShopSettings, environ={"SHOP_LIFECYCLE_DRAIN": "250ms", "SHOP_HEALTH_INTERVAL": "2m"})

    assert (settings.lifecycle.drain, settings.health.interval) == (0.25, 120)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SHOP_HTTP_PORT", "65536"), ("SHOP_LIFECYCLE_DRAIN", "-1"), ("SHOP_HEALTH_TIMEOUT", "0")],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_variable(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=variable):
        load(ShopSettings, environ={variable: value})


def test_every_setting_is_described() -> None:
    assert [
        variable.field for variable in environment_variables(ServiceSettings) if not variable.description
    ] == []
