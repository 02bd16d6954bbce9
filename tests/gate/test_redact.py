import pytest

from edgekit.gate.redact import redact

SECRETS = {"CI_TOKEN": "hunter2-hunter2", "HOME_TOWN": "Springfield", "DB_PASSWORD": "abc"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssh://pi@board:22 is gone", "ssh://board:22 is gone"),
        ("pi@board: Permission denied", "board: Permission denied"),
        ("ssh://pi:geheim@10.0.0.1", "ssh://10.0.0.1"),
        ("ssh://root@127.0.0.1:22", "ssh://127.0.0.1:22"),
        ("login with hunter2-hunter2 failed", "login with *** failed"),
        ("it is in Springfield, abc", "it is in Springfield, abc"),
        ("Load model from /data/customers/acme/kws.onnx failed", "Load model from kws.onnx failed"),
        ("model '/a/b/new.onnx': no", "model 'new.onnx': no"),
        ("1/2 of 3 samples/s over 0.1 ms", "1/2 of 3 samples/s over 0.1 ms"),
    ],
)
def test_users_folders_and_secret_values_go_and_the_rest_stays(text, expected):
    assert redact(text, SECRETS) == expected
