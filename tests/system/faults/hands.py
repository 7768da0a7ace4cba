"""Other hands: what changes in the world between our reading and our write."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from controller.sandbox.cloudflare import Reply
from tests.support.build import MARK
from tests.support.servers import Clouds
from tests.system.faults.calls import BATCH, LIST, UPDATE, Play, Scene
from tests.system.faults.kinds import Kind, lasting
from tests.system.faults.witness import row_of

Meddle = Callable[[Clouds, dict[str, list[dict[str, Any]]]], None]


def all_kinds() -> list[Kind]:
    """Every way to get in between."""
    records = [
        Kind("patched-vanish", (BATCH,), _in_between(_vanish("patches")), moves_world=True),
        Kind("deleted-vanish", (BATCH,), _in_between(_vanish("deletes"))),
        Kind("patched-change", (BATCH,), _in_between(_change(content="198.51.100.252"))),
        Kind("patched-lose-proxy", (BATCH,), _in_between(_change(proxied=False))),
        Kind("ours-appear", (BATCH,), _in_between(_appear(comment=MARK)), moves_world=True),
        Kind("ours-appear-elsewhere", (BATCH,), _in_between(_appear(content="198.51.100.253", comment=MARK))),
        Kind("unmarked-appear", (BATCH,), _in_between(_appear(comment=None)), moves_world=True),
        Kind("unmarked-appear-elsewhere", (BATCH,), _in_between(_appear(content="198.51.100.254", comment=None)),
             moves_world=True),
        Kind("foreign-appear", (BATCH,), _in_between(_appear(comment="elephant-dns:other/one")), moves_world=True),
        Kind("cname-appear", (BATCH,), _in_between(_appear(type="CNAME", content="a.example.org", comment=None)),
             moves_world=True),
        Kind("all-vanish-after-the-listing", (LIST,), _all_vanish, moves_world=True, lies=True),
    ]  # fmt: skip
    rows = [
        Kind("row-gets-healthy", (UPDATE,), _edit(status="HEALTHY"), moves_world=True),
        Kind("row-gets-in-progress", (UPDATE,), _edit(status="IN_PROGRESS"), moves_world=True),
        Kind("row-is-launched-again", (UPDATE,), _edit(status="LAUNCHED"), moves_world=True),
        Kind("row-ends", (UPDATE,), _edit(status="TERMINATED", termination_reason="TIME_OVER"), moves_world=True),
        Kind("row-gets-unknown-status", (UPDATE,), _edit(status="ARCHIVED"), moves_world=True),
        Kind("row-gets-odd-status", (UPDATE,), _edit(status=5), moves_world=True),
        Kind("row-loses-status", (UPDATE,), _edit(status=...), moves_world=True),
        Kind("row-is-linked-elsewhere", (UPDATE,), _edit(teacher_ec2_link="https://a.example.org"), moves_world=True),
        Kind("row-names-another", (UPDATE,), _edit(teacher_ec2_id="i-0000000000000dead"), moves_world=True),
        Kind("row-loses-links", (UPDATE,), _edit(teacher_ec2_link=..., student_ec2_link=...), moves_world=True),
        Kind("row-vanishes", (UPDATE,), _remove, moves_world=True),
    ]
    return [*(replace(kind, overtakes=True) for kind in records), *rows, *lasting(rows)]


def _in_between(meddle: Meddle) -> Play:
    def play(scene: Scene) -> Reply:
        body = scene.request.json
        assert isinstance(body, dict)
        with suppress(Exception):  # what cannot be done to the zone is not done
            meddle(scene.clouds, body)
        return scene.proceed()

    return play


def _vanish(kind: str) -> Meddle:
    def meddle(clouds: Clouds, body: dict[str, list[dict[str, Any]]]) -> None:
        for change in body.get(kind, ()):
            clouds.cloudflare.remove(change["id"])

    return meddle


def _change(**fields: object) -> Meddle:
    def meddle(clouds: Clouds, body: dict[str, list[dict[str, Any]]]) -> None:
        for change in body.get("patches", ()):
            clouds.cloudflare.edit(change["id"], **fields)

    return meddle


def _appear(**fields: Any) -> Meddle:
    def meddle(clouds: Clouds, body: dict[str, list[dict[str, Any]]]) -> None:
        for change in body.get("posts", ()):
            clouds.cloudflare.seed(change["name"], **{"content": change["content"], **fields})

    return meddle


def _all_vanish(scene: Scene) -> Reply:
    reply = scene.proceed()
    for record in _listed(reply):
        scene.clouds.cloudflare.remove(record["id"])
    return reply


def _listed(reply: Reply) -> Iterable[dict[str, Any]]:
    body = reply.json
    return body["result"] if isinstance(body, dict) and reply.status == 200 else ()


def _edit(**attributes: Any) -> Play:
    def play(scene: Scene) -> Reply:
        with suppress(KeyError):
            scene.clouds.aws.rows.edit(str(row_of(scene.request)), **attributes)
        return scene.proceed()

    return play


def _remove(scene: Scene) -> Reply:
    scene.clouds.aws.rows.remove(str(row_of(scene.request)))
    return scene.proceed()
