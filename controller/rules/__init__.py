"""The pure heart: ``plan(world, settings)`` says what must be done, ``guard`` what must wait.

Nothing here does I/O, knows the time, or knows which event woke the controller.

* ``plan.py``      all rules together, and what is asked again of a row that has moved on
* ``facts.py``     the class of each instance, and what it is evidence for
* ``ownership.py`` whose a record is
* ``records.py``   what is wanted at each name
* ``meetings.py``  what is wanted in each row
* ``findings.py``  what people should know
* ``scope.py``     what a scoped pass may change
* ``guards.py``    what must not be done without a person
* ``verify.py``    what an answer, or a fresh look, says of a change

The evidence that something needs grows with what a mistake would cost: what leads to a stranger goes at sight, a
record goes when its machine has been absent for a while, and a meeting, whose end cannot be undone, a day late.
"""
