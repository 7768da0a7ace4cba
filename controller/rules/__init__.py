"""The pure decisions: ``plan(world, settings)`` computes the changes, ``guard`` holds some of them.

Nothing here does I/O, knows the time, or knows which event woke the controller.

* ``plan.py``      all rules together, and the rules again for a row that changed since
* ``facts.py``     the class of each instance, and what it is evidence for
* ``ownership.py`` the owner of a record
* ``records.py``   the desired records at each name
* ``meetings.py``  the desired links and status of each row
* ``findings.py``  what people should know; ``lateness.py`` what takes too long, ``quota.py`` a zone that is nearly full
* ``joining.py``   who can join, for ``explain``, ``status`` and the probe
* ``scope.py``     what a scoped pass may change; ``cells.py`` what a pass for some cells may change
* ``guards.py``    what a pass must not do without a person
* ``verify.py``    what an answer, or a fresh look, says about a change

A change needs more evidence if a mistake costs more. A record or link that leads to a stranger is deleted at sight. A
record of an absent machine is deleted after a grace period. A meeting ends a day late, because an end is final.
"""
