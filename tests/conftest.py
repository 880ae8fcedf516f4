"""Fixtures come from the plugin `platform_lib.testing.plugin`; `pytester` tests that plugin."""

pytest_plugins = ["pytester"]
