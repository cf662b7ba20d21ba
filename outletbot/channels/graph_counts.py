"""Numbers as the Graph API tells them."""

from typing import Any

from outletbot.channels import Disowned, Rejected
from outletbot.channels.graph import Graph


def count(content: Any, *names: str) -> int | None:
    """Return the number under *names*, one within the other, or None."""
    for name in names:
        content = content.get(name) if isinstance(content, dict) else None
    return content if isinstance(content, int) else None


class Views:
    """How often something was seen, which only those are told who may read insights.

    Who is refused once is not told later either, and does not ask again.
    """

    def __init__(self, graph: Graph, metric: str) -> None:
        self._graph = graph
        self._metric = metric
        self._told = True

    async def of(self, remote_id: str) -> int | None:
        if not self._told:
            return None
        try:
            told = await self._graph.read(f"/{remote_id}/insights", metric=self._metric)
        except Disowned:
            raise
        except Rejected:
            self._told = False
            return None
        match told:
            case {"data": [{"values": [{"value": int(views)}, *_]}, *_]}:
                return views
        return None
