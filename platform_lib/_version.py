"""The one version of library, templates and tool, read from the installed distribution."""

from importlib.metadata import version

__version__ = version("paypath")
"""The version that is installed."""
