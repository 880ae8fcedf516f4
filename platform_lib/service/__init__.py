"""The life of a service: what it opens, runs, answers while it stops, and closes.

A service is composed once: make a `Service`, register resources and workers, `install` the application and
`serve` it. The order of start and stop is the library's business; see `serve`.
"""

from platform_lib.service._admin import AdminSettings
from platform_lib.service._asgi import ASGIApp, Message, Receive, Scope, Send
from platform_lib.service._edges import ContentTooLarge
from platform_lib.service._limits import HeadersTooLarge
from platform_lib.service._listener import port_holder
from platform_lib.service._no_api import no_api
from platform_lib.service._problem import problem_body, problem_headers
from platform_lib.service._resources import StartFailed
from platform_lib.service._serve import serve
from platform_lib.service._service import Phase, Service
from platform_lib.service._settings import LifecycleSettings, ServerSettings, ServiceSettings
from platform_lib.service._threads import run_in_thread

__all__ = [
    "ASGIApp",
    "AdminSettings",
    "ContentTooLarge",
    "HeadersTooLarge",
    "LifecycleSettings",
    "Message",
    "Phase",
    "Receive",
    "Scope",
    "Send",
    "ServerSettings",
    "Service",
    "ServiceSettings",
    "StartFailed",
    "no_api",
    "port_holder",
    "problem_body",
    "problem_headers",
    "run_in_thread",
    "serve",
]
