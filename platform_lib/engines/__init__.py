"""Run the servers that tests and the local platform need: embedded from wheels, or in containers.

Both kinds are tied to the life of this process: when it ends in any way, they end, and nothing stays behind.
"""

from platform_lib.engines._children import Child
from platform_lib.engines._choice import EngineKind, nats_engine, postgres_engine
from platform_lib.engines._docker import (
    ContainerEngine,
    NoContainerEngine,
    container_engine,
    remove_containers,
)
from platform_lib.engines._engine import Announce, Engine, EngineChoice, EngineName, EngineUnavailable
from platform_lib.engines._ports import free_port, holder_of, port_is_taken
from platform_lib.engines._scratch import scratch_folder

__all__ = [
    "Announce",
    "Child",
    "ContainerEngine",
    "Engine",
    "EngineChoice",
    "EngineKind",
    "EngineName",
    "EngineUnavailable",
    "NoContainerEngine",
    "container_engine",
    "free_port",
    "holder_of",
    "nats_engine",
    "port_is_taken",
    "postgres_engine",
    "remove_containers",
    "scratch_folder",
]
