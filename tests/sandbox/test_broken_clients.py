"""A client that sends nonsense costs one line, and the server goes on."""

import socket

import pytest

from controller.sandbox.aws import AwsServer

SIGNED = b"Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/us-west-2/dynamodb/aws4_request\r\n"


def answer_to(aws: AwsServer, request: bytes) -> bytes:
    """Return the answer to these bytes; empty where the server hangs up."""
    address, _, port = aws.url.removeprefix("http://").partition(":")
    with socket.create_connection((address, int(port)), timeout=60) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(1000)


@pytest.mark.parametrize(
    ("request_", "cause"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=x\r\n\r\n", "IndexError"),
        (b"GET / HTTP/1.1\r\nHost: [::\r\n\r\n", "Invalid IPv6 URL"),
        (b"POST / HTTP/1.1\r\nHost: x\r\n" + SIGNED + b"X-Amz-Target: DynamoDB_20120810.Nope\r\n\r\n", "Nope"),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\n" + SIGNED + b"X-Amz-Target: DynamoDB_20120810.UpdateItem\r\n\r\n",
            "TableName",
        ),
    ],
    ids=["half-credential", "bad-host", "unknown-operation", "no-table"],
)
def test_request_without_an_answer_costs_one_line(
    aws: AwsServer, capfd: pytest.CaptureFixture[str], request_: bytes, cause: str
) -> None:
    assert answer_to(aws, request_) == b""
    said = capfd.readouterr().err
    assert said.startswith("No answer to a request from 127.0.0.1:")
    assert (said.count("\n"), cause in said, len(said) < 350) == (1, True, True), said
    assert aws.client("ec2").describe_instances()["Reservations"] == []


@pytest.mark.parametrize("request_", [b"", b"\r\n", b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc"])
def test_client_that_leaves_too_early_costs_nothing(
    aws: AwsServer, capfd: pytest.CaptureFixture[str], request_: bytes
) -> None:
    answer_to(aws, request_)
    assert aws.client("ec2").describe_instances()["Reservations"] == []
    assert capfd.readouterr().err == ""
