"""What the trials with a fault are counted as, at the end of a run of pytest."""

from tests.model.proof.tally import counted

#: What a test notes by ``record_property``: how many trials it ran.
TRIALS = counted("faults tried")
