"""What stands for a workload in `chaos-ledger`, as its compute says.

real    the kind's own runtime
brief   ends by itself after a while
messy   the same, and leaves a process of a session of its own behind
plain   listens until it is ended
"""

import os
import runpy
import sys
import threading
import time
from pathlib import Path

PLAIN = Path(__file__).parents[1] / "support" / "plain_workload.py"
BRIEF_S = 9

kind, compute = sys.argv[1], os.environ["HUBYARD_COMPUTE"]
if compute == "real":
    os.execv(sys.executable, [sys.executable, "-m", f"hubyard_runtime.{kind}"])
if compute == "messy" and os.fork() == 0:
    os.setsid()
    time.sleep(3600)
if compute in {"brief", "messy"}:
    end = threading.Timer(BRIEF_S, os._exit, (0,))
    end.daemon = True
    end.start()
runpy.run_path(str(PLAIN), run_name="__main__")
