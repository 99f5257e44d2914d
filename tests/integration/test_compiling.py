"""OpenVINO's networks and signals: a network may come and go in any thread, and Ctrl-C still works."""

import subprocess
import sys

SCRIPT = """
import os, signal, threading, time
from contextlib import suppress
import numpy as np
import openvino
from openvino import opset13 as ops
from framekeep.models.compiling import compiled

pixels = ops.parameter([1, 3], np.float32)
networks = [compiled(openvino.Model([ops.relu(pixels)], [pixels]), {})]
gone = threading.Thread(target=networks.clear)
gone.start()
gone.join()
with suppress(KeyboardInterrupt):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
print("interrupted")
"""


def test_a_signal_reaches_the_thread_whose_network_went_in_another():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr  # -11 is a segmentation fault
