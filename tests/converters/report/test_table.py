import pytest
from edgekit_converters.report.table import PLAIN_COLUMNS, print_cells

HEAD = ("candidate", "drop (points)", "cost", "why")
KEEPS = f"int8_dynamic_matmul_perchannel_keep{'.'.join(map(str, range(40)))}"


@pytest.mark.parametrize("name", ["int8_static_all_perchannel_equalize_bias", KEEPS])
def test_a_long_name_leaves_room_for_the_other_columns(name, capsys):
    row = (name, "0.10 [-0.06, 0.31]", "0.55× [0.50, 0.61]", "the cheapest in budget")
    print_cells("model.onnx for host", HEAD, [(row, True)])
    lines = capsys.readouterr().out.splitlines()
    first = next(line for line in lines if "int8" in line)
    assert all(cell in first for cell in row[1:])
    assert (name in first) == (name != KEEPS)
    assert max(map(len, lines)) <= PLAIN_COLUMNS
    cells = [line.split("│")[1].strip() for line in lines if line.startswith("│")]
    assert "".join(cells) == name
