"""Every kind of drift: how the world can differ from the desired one, and what one pass does about it.

* ``scene.py``    lessons that are right in every respect, and the means to spoil them
* ``machines.py`` drifts that begin with a machine
* ``records.py``  drifts that begin with a record
* ``rows.py``     drifts that begin with a row
* ``links.py``    drifts behind right records and rows
"""

from controller.sandbox.drifts import links, machines, records, rows
from controller.sandbox.drifts.scene import Drift, End, Lesson, Machine, Scene, Shown

DRIFTS: tuple[Drift, ...] = (*machines.DRIFTS, *records.DRIFTS, *rows.DRIFTS, *links.DRIFTS)

__all__ = ["DRIFTS", "Drift", "End", "Lesson", "Machine", "Scene", "Shown"]
