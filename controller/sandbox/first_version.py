"""The first version as the written guide creates it by hand, on this machine: to try doctor, the plan and the switch.

Its rule asks for tags, which EC2's events never carry, so it never fires. What there is of records and links comes from
invocations by hand. It marks no record, ends a meeting with its first machine, and leaves the record of a machine that
ended unheard.
"""

import io
import json
import threading
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count

from controller.events import STATE_CHANGE
from controller.sandbox.aws import AwsServer
from controller.sandbox.cloudflare import CloudflareServer
from controller.sandbox.demo import DOMAIN_ROOT, shell_lines
from controller.sandbox.drifts.scene import Lesson, Scene
from controller.sandbox.edge import Edge
from controller.sandbox.stage import Stage

FUNCTION, RULE = "ElephantDNSWatchdog", "ElephantEC2StateWatch"
#: Some installations follow a guide with another name of the secret, and another key in it.
SECRET, KEY = "ElephantCloudflareToken", "CLOUDFLARE_API_TOKEN"
PATTERN = {
    "source": ["aws.ec2"],
    "detail-type": [STATE_CHANGE],
    "detail": {"state": ["running", "stopped", "terminated"], "tags": {"Project": ["Elephant"]}},
}
#: Takes the names of the template back.
SWITCH = (
    f"aws events remove-targets --rule {RULE} --ids 1",
    f"aws events delete-rule --name {RULE}",
    f"aws lambda delete-function --function-name {FUNCTION}",
)


def run(stage: Stage, wait: Callable[[], object] | None = None) -> int:
    """Keep the servers up until ``wait`` returns, which ends with Ctrl-C. Returns 0."""
    with AwsServer() as aws, CloudflareServer(DOMAIN_ROOT) as cloudflare, Edge(cloudflare) as edge:
        seed(aws, cloudflare)
        stage.title("A first version, created by hand as the written guide says")
        stage.say(
            f"Function {FUNCTION} and rule {RULE} are there. The rule asks for tags, which these events never carry, "
            "so nobody has a link except where somebody invoked the function by hand."
        )
        _show_steps(stage)
        stage.title("Paste this into another terminal. Ctrl-C here ends the servers")
        try:
            stage.out("\n".join(["", *shell_lines(environment(aws, cloudflare, edge)), ""]))
            (wait or threading.Event().wait)()
        except KeyboardInterrupt:
            stage.tell("")
    return 0


def _show_steps(stage: Stage) -> None:
    stage.title("Then try")
    stage.item("1", "elephant-dns doctor", "another program has the name, its rule never fires, the secret can be read")
    stage.item("2", "elephant-dns plan", "what this program would do; nothing is written")
    stage.item("3", "the switch", "delete the old one (docs/migrate.md also saves it, then deploys the template):")
    stage.tell("\n".join(f"{'':26}{command}" for command in SWITCH))
    stage.item("4", "elephant-dns apply", "records are adopted and created, links written")
    stage.item("5", "elephant-dns status", "who can join now")
    stage.item("6", "what nobody marked", "ADOPT_UNMARKED=true elephant-dns plan shows which records it would delete")


def environment(aws: AwsServer, cloudflare: CloudflareServer, edge: Edge) -> Mapping[str, str]:
    """Return the variables that the commands need."""
    return {
        **aws.environment(),
        "CLOUDFLARE_BASE_URL": cloudflare.base_url,
        "DOMAIN_ROOT": DOMAIN_ROOT,
        "SECRET_ARN": SECRET,
        "ZONE_ID": cloudflare.zone_id,
        **edge.environment(),
    }


def seed(aws: AwsServer, cloudflare: CloudflareServer, now: datetime | None = None) -> None:
    """Fill both servers, which must be empty."""
    aws.make_table()
    aws.write_secret(json.dumps({KEY: cloudflare.token}), SECRET)
    _deploy(aws, cloudflare)
    now = now or datetime.now(UTC)
    ids = (f"i-{number:017x}" for number in count(0x0F157000000000001))
    scene = Scene(aws, cloudflare, ids, (f"192.0.2.{last}" for last in count(1)), count(1), now)
    _lesson(scene, "LAUNCHED")  # nobody heard of its machines
    for machine in _lesson(scene, "HEALTHY", linked=True):  # somebody invoked the function for both
        scene.stray_record(machine, comment=None)
    restarted = _lesson(scene, "IN_PROGRESS", linked=True)  # a start gives another address
    scene.stray_record(restarted.teacher, "192.0.2.250", comment=None)
    scene.stray_record(restarted.student, comment=None)
    left = _lesson(scene, "TERMINATED", linked=True, termination_reason="TIME_OVER")  # one machine ended, one runs
    aws.machines.terminate(left.teacher.id)
    for machine in left:
        scene.stray_record(machine, comment=None)
    long_ago = (now - timedelta(days=3)).isoformat(timespec="seconds")
    gone = {f"{role}_ec2_id": next(scene.ids) for role in ("teacher", "student")}
    scene.row(scene.meeting(), status="DNS_WRITTEN", meet_time=long_ago, **gone)  # nobody heard of its end either
    scene.row(scene.meeting(), status="SCHEDULED")


def _lesson(scene: Scene, status: str, *, linked: bool = False, **attributes: str) -> Lesson:
    """Add a meeting with two machines; its records are for the caller to add."""
    meeting = scene.meeting()
    lesson = Lesson(meeting, tuple(scene.machine(meeting, role) for role in ("teacher", "student")))
    ids = {f"{machine.role}_ec2_id": machine.id for machine in lesson}
    links = {f"{machine.role}_ec2_link": machine.link for machine in lesson} if linked else {}
    scene.row(meeting, status=status, **ids, **links, **attributes)
    return lesson


def _deploy(aws: AwsServer, cloudflare: CloudflareServer) -> None:
    """Create the function and its rule as the console does."""
    role = aws.client("iam").create_role(RoleName=f"{FUNCTION}-role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    variables = {"DOMAIN_ROOT": DOMAIN_ROOT, "SECRET_ARN": SECRET, "ZONE_ID": cloudflare.zone_id}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("lambda_function.py", "def lambda_handler(event, context): ...\n")
    function = aws.client("lambda").create_function(
        FunctionName=FUNCTION,
        Runtime="python3.12",
        Role=role,
        Handler="lambda_function.lambda_handler",
        Code={"ZipFile": content.getvalue()},
        Environment={"Variables": variables},
        Timeout=30,
    )["FunctionArn"]
    rule = aws.client("events").put_rule(Name=RULE, EventPattern=json.dumps(PATTERN))["RuleArn"]
    aws.client("events").put_targets(Rule=RULE, Targets=[{"Id": "1", "Arn": function}])
    aws.client("lambda").add_permission(
        FunctionName=FUNCTION,
        StatementId=RULE,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
