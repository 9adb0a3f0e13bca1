"""A connector whose commands are forked from a process that has already imported it."""

from collections.abc import Mapping
from pathlib import Path

from campaign.vendors import JsonObject
from campaign.zygote import ForkedProcess, Zygote
from sandbox.airbyte import Connector


class ForkedConnector(Connector):
    """One connector with one configuration."""

    def __init__(self, package: str, config: JsonObject, env: Mapping[str, str], zygote: Zygote) -> None:
        """Run the commands of this package; `env` is in addition to the zygote's."""
        super().__init__(package, config, env=env)
        self.sessions: list[int] = []
        """The session ids of its processes; each session is led by a forked process."""
        self._added_env, self._zygote = env, zygote

    def popen(self, command: str, inputs: Mapping[str, Path]) -> ForkedProcess:
        """Fork the process of a command with its input files."""
        process = self._zygote.start(self.command_line(command, inputs)[3:], self._added_env)
        self.sessions.append(process.pid)
        return process
