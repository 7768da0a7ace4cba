"""Names that ``infra/template.yaml`` gives. ``NameSuffix`` follows each."""

FUNCTION = "ElephantDNSWatchdog"
RULES = ("ElephantReconcile", "ElephantEC2StateWatch", "ElephantTagWatch")
QUEUES = ("ElephantStateChanges", "ElephantStateChangeDeadLetters", "ElephantReconcileDeadLetters")
