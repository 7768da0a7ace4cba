"""Every kind of drift: how the world can differ from what it should be, and what one pass has to make of it.

* ``scene.py``    lessons that are right in every respect, and the means to spoil them
* ``machines.py`` what happened to the machines
* ``records.py``  what stands in the zone
* ``rows.py``     what stands in the table
* ``links.py``    what is wrong behind right records and rows
"""

from controller.sandbox.drifts import links, machines, records, rows
from controller.sandbox.drifts.scene import Drift, End, Lesson, Machine, Scene, Shown

DRIFTS: tuple[Drift, ...] = (*machines.DRIFTS, *records.DRIFTS, *rows.DRIFTS, *links.DRIFTS)

__all__ = ["DRIFTS", "Drift", "End", "Lesson", "Machine", "Scene", "Shown"]
