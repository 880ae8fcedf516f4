"""The admin port: what a running process shows of itself, and what may be changed while it runs."""

from platform_lib.service._admin._authority import Authority
from platform_lib.service._admin._settings import AdminSettings

__all__ = ["AdminSettings", "Authority"]
