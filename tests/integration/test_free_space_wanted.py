"""How much free space [pressure] asks for."""

import pytest

from daemon.config.free_space import bytes_of


@pytest.mark.parametrize(("amount", "meant"), [("10%", 100), ("50 MB", 50_000_000), ("1.5GB", 1_500_000_000)])
def test_amounts(amount: str, meant: int):
    assert bytes_of(amount, 1000) == meant


@pytest.mark.parametrize("amount", ["0%", "100%", "ten", "10", "5 apples", "-1%", "10 KB", 10])
def test_nonsense_is_refused(site, amount, capsys):
    site.configure(pressure={"when_free_below": amount})
    assert site.run("config", "check") == 10
    assert "pressure.when_free_below" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("floor", "amount", "said"),
    [(10_000, "1 MB", "ask for more"), (0, "900000 TB", "than its whole filesystem has")],
)
def test_what_the_filesystem_does_not_allow_is_refused_at_a_start(site, floor, amount, said, capsys):
    site.configure(pressure={"when_free_below": amount}, vault={"floor_megabytes": floor})
    assert site.run("sweep") == 10
    assert said in capsys.readouterr().err
