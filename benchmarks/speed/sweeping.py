"""A sweep as `framekeep sweep --json` makes it, which tells its processor time too, without the start.

usage: python -m benchmarks.speed.sweeping CONFIG

Under other load starts differ so much in processor time that theirs cannot be taken off afterwards. What squeezing
originals costs, in processes of their own, is not counted. Each of these imports this script, so it imports as little
as the installed command does.
"""

import json
import sys
import time
from pathlib import Path


def main(path: Path) -> None:
    from daemon.config.loading import load  # noqa: PLC0415 - see above
    from daemon.house import opened  # noqa: PLC0415
    from daemon.log import configure  # noqa: PLC0415
    from daemon.sweep import Sweeping, sweep, targets_of  # noqa: PLC0415

    config, sweeping = load(path), Sweeping(dry_run=False)
    configure("json", "warning")
    with opened(config) as house:
        began = time.process_time()
        sweep(house, targets_of(config, []), sweeping)
        spent = time.process_time() - began
        print(json.dumps(sweeping.summary() | {"processor": spent, "looks": sweeping.looks}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
