"""Whatever is typed after ``elephant-dns``: an exit code that the help names, no traceback, and nothing written."""

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest
from hypothesis import strategies as st

from controller.cli import main
from tests.support.servers import Clouds
from tests.system.faults.calls import WRITES, operation
from tests.system.fuzz.effort import EFFORT, Note, try_all

#: Neither --yes, after which writing is right, nor what writes a file or starts servers.
WORDS = """plan apply explain retire --instance --format json html --force --expect --detailed-exitcode --deadline -v
    --quiet --version --help -h -- 0 -1 nan 1e400 i-01234567 m1 \udcff"""
TYPED = st.sampled_from(WORDS.split()) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)


# A command is a process of its own, and leaves its connections to that process's end.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@EFFORT
@pytest.mark.parametrize("is_set", [True, False], ids=["set", "unset"])
def test_any_arguments_end_with_a_code_and_write_nothing(
    clouds: Clouds, is_set: bool, effort: int, record_property: Note
) -> None:
    def holds(arguments: list[str]) -> None:
        output, errors = io.StringIO(), io.StringIO()
        with redirect_stdout(output), redirect_stderr(errors), pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code in (0, 1, 2, 64)
        assert clouds.cloudflare.token not in output.getvalue() + errors.getvalue()

    clouds.launch()
    with clouds.exported(**({} if is_set else {"ZONE_ID": ""})):
        try_all(holds, st.lists(TYPED, max_size=5), 25 * effort, record_property)
    made = [operation(exchange.request) for exchange in (*clouds.aws.requests, *clouds.cloudflare.requests)]
    assert not set(made) & set(WRITES)
